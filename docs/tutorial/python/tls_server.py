# The echo server, encrypted, with the certificate in cert.pem and its key in key.pem.
# usage: tls_server.py [HOST [PORT [DIRECTORY]]]
import os
import socket
import ssl
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
directory = sys.argv[3] if len(sys.argv) > 3 else "."

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem"))

listener = socket.create_server((host, port))
print("listening on %s:%s" % listener.getsockname())

while True:
    conn, peer = listener.accept()
    conn.settimeout(10)
    try:
        with context.wrap_socket(conn, server_side=True) as secure:
            while data := secure.recv(1024):
                secure.sendall(data)
    except OSError as error:  # ssl.SSLError is one of them
        print(error)
