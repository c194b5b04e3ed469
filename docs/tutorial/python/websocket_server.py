# Sends each text message back in capital letters, over WebSocket.
# usage: websocket_server.py [HOST [PORT]]
import socket
import sys

from websocket_frames import CLOSE, PING, PONG, TEXT, accept_of, read_frame, read_head, write_frame

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000


def shout(conn):
    _, fields = read_head(conn)
    if "sec-websocket-key" not in fields:
        conn.sendall(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n")
        return
    accept = accept_of(fields["sec-websocket-key"])
    conn.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    while True:
        opcode, data = read_frame(conn)
        if opcode == TEXT:
            write_frame(conn, TEXT, data.decode().upper().encode())
        elif opcode == PING:
            write_frame(conn, PONG, data)
        elif opcode == CLOSE:
            write_frame(conn, CLOSE, data)
            return


listener = socket.create_server((host, port))
print("ws://%s:%s/" % listener.getsockname())

while True:
    conn, _ = listener.accept()
    conn.settimeout(60)
    try:
        shout(conn)
    except (OSError, ValueError, EOFError) as error:
        print(error)
    finally:
        conn.close()
