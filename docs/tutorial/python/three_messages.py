# Sends three messages one by one, and shows in which pieces they come back.
# usage: three_messages.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect((host, port))
for message in [b"one", b"two", b"and this is the third"]:
    sock.sendall(message)

received = 0
while received < 27 and (data := sock.recv(1024)):
    print("a piece:", data)
    received += len(data)
sock.close()
