# Sends each message back in capital letters.
# usage: shout_server.py [HOST [PORT]]
import socket
import sys
from frames import read_message, send_message

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000

listener = socket.create_server((host, port))
print("listening on %s:%s" % listener.getsockname())

while True:
    conn, peer = listener.accept()
    try:
        while (message := read_message(conn)) is not None:
            send_message(conn, message.decode().upper().encode())
    except (OSError, EOFError, ValueError) as error:
        print(error)
    conn.close()
