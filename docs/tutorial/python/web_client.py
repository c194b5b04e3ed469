# Gets a page from a web server, on nothing but a socket.
# usage: web_client.py http://HOST[:PORT]/PATH
import socket
import sys
from urllib.parse import urlsplit

url = urlsplit(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000/")
if url.scheme != "http":
    sys.exit("usage: web_client.py http://HOST[:PORT]/PATH")
target = (url.path or "/") + ("?" + url.query if url.query else "")

sock = socket.create_connection((url.hostname, url.port or 80), timeout=10)
sock.sendall(f"GET {target} HTTP/1.0\r\nHost: {url.netloc}\r\n\r\n".encode())

response = b""
while data := sock.recv(4096):
    response += data
sock.close()

head, _, body = response.partition(b"\r\n\r\n")
print(head.split(b"\r\n")[0], file=sys.stderr)
sys.stdout.buffer.write(body)
sys.exit(0 if head[9:12] == b"200" else 1)
