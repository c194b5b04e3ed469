# Sends back all that each client sends, 16 bytes at a time.
# usage: echo_server.py [HOST [PORT]]        HOST '' is any address of this machine
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

listener = socket.create_server((host, port))
print("listening on %s:%s" % listener.getsockname())

while True:
    conn, peer = listener.accept()
    try:
        while True:
            data = conn.recv(16)
            print("received", data)
            if not data:
                break
            conn.sendall(data)
    finally:
        conn.close()
