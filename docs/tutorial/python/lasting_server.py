# An echo server that lasts: bad clients do not hurt it, silent ones are closed, and Ctrl-C ends it.
# usage: lasting_server.py [HOST [PORT [SECONDS]]]       SECONDS of silence end a connection
import signal
import socket
import sys
import threading

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
patience = float(sys.argv[3]) if len(sys.argv) > 3 else 60
places = threading.Semaphore(100)


def echo(conn, peer):
    try:
        conn.settimeout(patience)
        while data := conn.recv(1024):
            conn.sendall(data)
    except OSError as error:  # BrokenPipeError, ConnectionResetError and TimeoutError, too
        print("%s:%s:" % peer[:2], error)
    finally:
        conn.close()
        places.release()


def stop(*_):
    raise KeyboardInterrupt


signal.signal(signal.SIGTERM, stop)
try:
    listener = socket.create_server((host, port))
except OSError as error:
    sys.exit(f"cannot listen on {host}:{port}: {error}")
print("listening on %s:%s" % listener.getsockname())

try:
    while True:
        places.acquire()
        conn, peer = listener.accept()
        threading.Thread(target=echo, args=(conn, peer)).start()
except KeyboardInterrupt:
    listener.close()
    print("stopping: the clients that are here may finish")
