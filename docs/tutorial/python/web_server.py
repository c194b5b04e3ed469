# A web server on nothing but sockets: the files of a directory.
# usage: web_server.py [DIRECTORY [HOST [PORT]]]
import os
import socket
import sys
import threading
from urllib.parse import unquote

root = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else ".")
host = sys.argv[2] if len(sys.argv) > 2 else "localhost"
port = int(sys.argv[3]) if len(sys.argv) > 3 else 8000
types = {".html": "text/html", ".txt": "text/plain", ".png": "image/png"}


def response(status, body, type="text/plain"):
    head = f"HTTP/1.0 {status}\r\nContent-Type: {type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answer(request):
    method, target = request.split(b" ")[:2]
    if method != b"GET":
        return response("405 Method Not Allowed", b"Only GET is understood here.\n")
    path = unquote(target.decode("latin-1").split("?")[0])
    file = os.path.realpath(root + path + ("index.html" if path.endswith("/") else ""))
    if not file.startswith(root + os.sep) or not os.path.isfile(file):
        return response("404 Not Found", b"There is no such file.\n")
    type = types.get(os.path.splitext(file)[1], "application/octet-stream")
    with open(file, "rb") as opened:
        return response("200 OK", opened.read(), type)


def serve(conn):
    conn.settimeout(10)
    try:
        request = b""
        while b"\r\n\r\n" not in request:
            data = conn.recv(4096)
            if not data or len(request) > 8192:
                return
            request += data
        conn.sendall(answer(request))
    except (OSError, ValueError) as error:
        print(error)
    finally:
        conn.close()


listener = socket.create_server((host, port))
print("http://%s:%s/" % listener.getsockname())
while True:
    conn, peer = listener.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
