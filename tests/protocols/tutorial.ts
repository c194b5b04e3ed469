// The echo programs of the classic socket tutorial, in the spelling of Python 3. Only the port is
// not 10000 but one that is free: the server prints it on stdout.

import { PYTHON } from "../support/peers.ts";

function command(program: string, args: readonly string[]): string[] {
  return [...PYTHON, "-c", program, ...args];
}

/** The server, on the address given (`''` for any). */
export function echoServer(host: string): string[] {
  return command(
    `
import socket
import sys

# Create a TCP/IP socket
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

# Bind the socket to the port
server_address = (sys.argv[1], 0)
print('starting up on %s port %s' % server_address, file=sys.stderr)
sock.bind(server_address)

# Listen for incoming connections
sock.listen(1)
print(sock.getsockname()[1], flush=True)

while True:
    # Wait for a connection
    print('waiting for a connection', file=sys.stderr)
    connection, client_address = sock.accept()
    try:
        print('connection from', client_address, file=sys.stderr)

        # Receive the data in small chunks and retransmit it
        while True:
            data = connection.recv(16)
            print('received "%s"' % data.decode(), file=sys.stderr)
            if data:
                print('sending data back to the client', file=sys.stderr)
                connection.sendall(data)
            else:
                print('no more data from', client_address, file=sys.stderr)
                break
    finally:
        # Clean up the connection
        connection.close()
`,
    [host],
  );
}

const CONVERSE = `
try:
    # Send data
    message = b'This is the message.  It will be repeated.'
    print('sending "%s"' % message.decode(), file=sys.stderr)
    sock.sendall(message)

    # Look for the response
    amount_received = 0
    amount_expected = len(message)
    while amount_received < amount_expected:
        data = sock.recv(16)
        amount_received += len(data)
        print('received "%s"' % data.decode(), file=sys.stderr)
finally:
    print('closing socket', file=sys.stderr)
    sock.close()
`;

/** The client, of the server at the address given. */
export function echoClient(host: string, port: string): string[] {
  return command(
    `
import socket
import sys

# Create a TCP/IP socket
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

# Connect the socket to the port where the server is listening
server_address = (sys.argv[1], int(sys.argv[2]))
print('connecting to %s port %s' % server_address, file=sys.stderr)
sock.connect(server_address)
${CONVERSE}`,
    [host, port],
  );
}

/** The easy client, with create_connection(). */
export function easyClient(host: string, port: string): string[] {
  return command(
    `
import socket
import sys

def get_constants(prefix):
    """Create a dictionary mapping socket module constants to their names."""
    return dict((getattr(socket, n), n) for n in dir(socket) if n.startswith(prefix))

families = get_constants('AF_')
types = get_constants('SOCK_')
protocols = get_constants('IPPROTO_')

# Create a TCP/IP socket
sock = socket.create_connection((sys.argv[1], int(sys.argv[2])))

print('Family  :', families[sock.family], file=sys.stderr)
print('Type    :', types[sock.type], file=sys.stderr)
print('Protocol:', protocols[sock.proto], file=sys.stderr)
print(file=sys.stderr)
${CONVERSE}`,
    [host, port],
  );
}
