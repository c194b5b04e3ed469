# Sends each datagram back, in capital letters.
# usage: udp_server.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((host, port))
print("listening on %s:%s" % sock.getsockname())

while True:
    data, peer = sock.recvfrom(65535)
    sock.sendto(data.upper(), peer)
