# Connects to a name with create_connection(), and says which address it was.
# usage: easy_client.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
    print(family.name, address[0])

sock = socket.create_connection((host, port), timeout=10)
print("connected to", sock.getpeername()[0])
sock.sendall(b"This is the message.  It will be repeated.")
sock.shutdown(socket.SHUT_WR)
while data := sock.recv(1024):
    print(data.decode(), end="")
sock.close()
