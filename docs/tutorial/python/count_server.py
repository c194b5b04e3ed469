# Counts the bytes of each client until its end, and then says how many there were.
# usage: count_server.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

listener = socket.create_server((host, port))
print("listening on %s:%s" % listener.getsockname())

while True:
    conn, peer = listener.accept()
    count = 0
    while data := conn.recv(4096):
        count += len(data)
    conn.sendall(f"{count} bytes\n".encode())
    conn.close()
