# Sends three messages, and prints the three that come back.
# usage: shout_client.py [HOST [PORT]]
import socket
import sys
from frames import read_message, send_message

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

sock = socket.create_connection((host, port))
for message in ["one", "two", "and this is\nthe third"]:
    send_message(sock, message.encode())
for _ in range(3):
    print("a message:", repr(read_message(sock).decode()))
sock.close()
