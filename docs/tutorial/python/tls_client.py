# Connects with TLS, checks the server's certificate, and sends a message.
# usage: tls_client.py [HOST [PORT [DIRECTORY]]]       trusts cert.pem in DIRECTORY
import os
import socket
import ssl
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
directory = sys.argv[3] if len(sys.argv) > 3 else "."

context = ssl.create_default_context(cafile=os.path.join(directory, "cert.pem"))

sock = socket.create_connection((host, port), timeout=10)
with context.wrap_socket(sock, server_hostname=host) as secure:
    print(secure.version())
    secure.sendall(b"hello, secret")
    print(secure.recv(1024).decode())
