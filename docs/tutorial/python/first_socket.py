# Makes a socket, connects it, shows both of its addresses, and closes it.
# usage: first_socket.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect((host, port))
print("this end: ", sock.getsockname())
print("other end:", sock.getpeername())
sock.close()
