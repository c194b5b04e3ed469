# Sends one message and prints what comes back.
# usage: hello_client.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect((host, port))
sock.sendall("hello, sockets".encode())
data = sock.recv(1024)
print(data.decode())
sock.close()
