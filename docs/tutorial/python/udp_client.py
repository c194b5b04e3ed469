# Sends one datagram, and waits two seconds for the answer.
# usage: udp_client.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((host, port))
sock.settimeout(2)
sock.send(b"hello, datagrams")
try:
    print(sock.recv(65535).decode())
except TimeoutError:
    sys.exit("no answer within two seconds")
finally:
    sock.close()
