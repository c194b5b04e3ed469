# An echo server in the three ways of the HOWTO.
# usage: three_ways.py threads|processes|loop [HOST [PORT]]
import os
import selectors
import signal
import socket
import sys
import threading


def echo(conn):
    while data := conn.recv(1024):
        conn.sendall(data)
    conn.close()


def threads(listener):
    while True:
        conn, peer = listener.accept()
        threading.Thread(target=echo, args=(conn,), daemon=True).start()


def processes(listener):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a child has ended
    while True:
        conn, peer = listener.accept()
        if os.fork() == 0:  # the child
            listener.close()
            echo(conn)
            os._exit(0)
        conn.close()  # the child has its own


def loop(listener):
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in ready.select():
            sock = key.fileobj
            if sock is listener:
                conn, peer = listener.accept()
                ready.register(conn, selectors.EVENT_READ)
            elif data := sock.recv(1024):
                sock.sendall(data)
            else:
                ready.unregister(sock)
                sock.close()


way = {"threads": threads, "processes": processes, "loop": loop}[sys.argv[1]]
host = sys.argv[2] if len(sys.argv) > 2 else "localhost"
port = int(sys.argv[3]) if len(sys.argv) > 3 else 10000
server = socket.create_server((host, port))
print("listening on %s:%s" % server.getsockname())
way(server)
