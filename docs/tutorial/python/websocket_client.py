# Sends one message over WebSocket, and prints the answer.
# usage: websocket_client.py [HOST [PORT]]
import base64
import os
import socket
import sys

from websocket_frames import CLOSE, TEXT, accept_of, read_frame, read_head, write_frame

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

conn = socket.create_connection((host, port), timeout=10)
key = base64.b64encode(os.urandom(16)).decode()
conn.sendall(
    f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
)
first, fields = read_head(conn)
if " 101 " not in first or fields.get("sec-websocket-accept") != accept_of(key):
    sys.exit(f"this is no WebSocket: {first}")

write_frame(conn, TEXT, b"hello, browser", os.urandom(4))
_, answer = read_frame(conn)
print(answer.decode())
write_frame(conn, CLOSE, (1000).to_bytes(2, "big"), os.urandom(4))
read_frame(conn)
conn.close()
