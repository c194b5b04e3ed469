# Sends one message, and receives until all of it has come back.
# usage: echo_client.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect((host, port))
try:
    message = b"This is the message.  It will be repeated."
    sock.sendall(message)
    received = 0
    while received < len(message):
        data = sock.recv(16)
        if not data:
            sys.exit("the server closed after %d bytes" % received)
        received += len(data)
        print("received", data)
finally:
    sock.close()
