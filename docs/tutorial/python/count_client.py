# Sends three lines, ends its side, and prints the answer.
# usage: count_client.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect((host, port))
for line in ["first line\n", "second line\n", "last line\n"]:
    sock.sendall(line.encode())
sock.shutdown(socket.SHUT_WR)

while data := sock.recv(1024):
    print(data.decode(), end="")
sock.close()
