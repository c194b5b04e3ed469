# Takes one client after the other, and sends back what each says first.
# usage: hello_server.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((host, port))
listener.listen(5)
print("listening on %s:%s" % listener.getsockname())

while True:
    conn, peer = listener.accept()
    print("client %s:%s" % peer)
    data = conn.recv(1024)
    conn.sendall(data)
    conn.close()
