"""Restarts a server with SIGUSR2 under a load of short connections, and prints what came of it as JSON.

restart_load.py echo|web|relay|chat RATE RESTARTS COMMAND...

A web server serves /small and /large, and a relay leads to an echo server of this program. One
connection is there from the first: a download of /large, bytes that are echoed, or a member of the
chat, who hears Goodbye. In a network namespace of its own, the kernel is told to move who waits at a
socket that is closed.
"""

import atexit, fcntl, json, os, re, signal, socket, socketserver, ssl, struct, subprocess, sys, threading, time

mode, rate, restarts = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
LIMIT = 60
MIGRATES = "/proc/sys/net/ipv4/tcp_migrate_req"

if os.environ.get("OWN_NAMESPACE"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING
    with open(MIGRATES, "w") as f:
        f.write("1")


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while piece := self.request.recv(65536): self.request.sendall(piece)


class Target(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024


command = sys.argv[4:]
if mode == "relay":
    target = Target(("127.0.0.1", 0), Echo)
    threading.Thread(target=target.serve_forever, daemon=True).start()
    command += ["--to", f"127.0.0.1:{target.server_address[1]}"]
server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def end():
    """Its successors are of the same group."""
    try: os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError: pass


atexit.register(end)
log = []
changed = threading.Condition()


def collect():
    for line in server.stderr:
        with changed:
            log.append(line)
            changed.notify_all()


reader = threading.Thread(target=collect, daemon=True)
reader.start()
url = server.stdout.readline()
port = int(re.search(r":(\d+)/?\n", url).group(1))
tls = re.match("https|tls", url) and ssl._create_unverified_context()


def until(pattern):
    end = time.monotonic() + LIMIT
    with changed:
        while True:
            found = re.search(pattern, "".join(log))
            if found: return found
            if not changed.wait(end - time.monotonic()): raise SystemExit(f"No {pattern} in\n" + "".join(log))


class Secure:
    """TLS over a socket. Python's own cannot send `first` with the end of the handshake."""

    def __init__(self, raw, first):
        self.raw, self.incoming, self.outgoing = raw, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls.wrap_bio(self.incoming, self.outgoing)
        while not self.shakes_hands(): self.fill()
        if first: self.tls.write(first)
        self.flush()

    def shakes_hands(self):
        try: return self.tls.do_handshake() is None
        except ssl.SSLWantReadError: self.flush()

    def flush(self): self.raw.sendall(self.outgoing.read())

    def fill(self):
        data = self.raw.recv(65536)
        if data: self.incoming.write(data)
        else: self.incoming.write_eof()

    def recv(self, size):
        while True:
            try: return self.tls.read(size)
            except ssl.SSLZeroReturnError: return b""
            except ssl.SSLWantReadError: self.fill()

    def shutdown(self, how):
        """Without close_notify, behind which Python's cannot read."""
        self.raw.shutdown(how)

    def __enter__(self): return self

    def __exit__(self, *_): self.raw.close()


NO_COOKIE = 34  # TCP_FASTOPEN_NO_COOKIE of linux/tcp.h


def connect(first=b""):
    """`first` is sent with the end of the handshake, however busy the machine is: new connections are not waited for long."""
    raw = socket.socket()
    if first and not tls:
        raw.setsockopt(socket.IPPROTO_TCP, NO_COOKIE, 1)
        raw.sendto(first, socket.MSG_FASTOPEN, ("127.0.0.1", port))
    else: raw.connect(("127.0.0.1", port))
    raw.settimeout(LIMIT)
    return Secure(raw, first) if tls else raw


def receive(s):
    data = b""
    while piece := s.recv(65536): data += piece
    return data


def get(path):
    return f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()


errors, done = [], 0
lock = threading.Lock()


def ask():
    # A word in a chat could cross the Goodbye of the server, and be answered with a reset: FIN is not.
    message = {"web": get("/small"), "chat": b""}.get(mode, os.urandom(5000))
    try:
        return connect(message), message, time.monotonic()
    except Exception as error:
        with lock: errors.append(f"connecting: {error!r}")


def hear(s, message, start):
    global done
    try:
        with s:
            if mode != "web": s.shutdown(socket.SHUT_WR)
            data = receive(s)
        if mode == "web": whole = data.endswith(b"END") and b" 200 OK" in data
        elif mode == "chat": whole = b"* You are guest" in data
        else: whole = data == message
        with lock:
            if whole: done += 1
            else: errors.append(f"{len(data)} bytes came, at the end {data[-100:]!r}")
    except Exception as error:
        with lock: errors.append(f"{error!r} {time.monotonic() - start:.3f} s after the request")


def visit():
    try:
        if asked := ask(): hear(*asked)
    finally: places.release()


def migrates():
    try:
        with open(MIGRATES) as f: return f.read().strip() == "1"
    except OSError: return False  # an older kernel


running = True
# The load is bounded: on a busy machine a server would make room for newcomers.
places = threading.Semaphore(50 if tls else 500)


def load():
    threads, start = [], time.monotonic()
    while running:
        places.acquire()
        threads.append(threading.Thread(target=visit, daemon=True))
        threads[-1].start()
        time.sleep(max(0, start + len(threads) / rate - time.monotonic()))
    for thread in threads: thread.join()


loader = threading.Thread(target=load, daemon=True)
loader.start()
download = connect(b"" if mode == "chat" else get("/large"))
download.recv(1)
sipped = 0


def sip():
    """A client that takes nothing for half a minute would be given up."""
    global sipped
    while running:
        time.sleep(0.1)
        sipped += len(download.recv(32768))


sipper = threading.Thread(target=sip, daemon=True)
if mode == "web": sipper.start()
measured = "--metrics" in sys.argv and until(r"metrics at http://127\.0\.0\.1:(\d+)/")


def probe():
    with socket.create_connection(("127.0.0.1", int(measured.group(1))), LIMIT) as s:
        s.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return receive(s).split(b" ")[1].decode()


pid, seen, probes = server.pid, 0, set()
for _ in range(restarts):
    os.kill(pid, signal.SIGUSR2)
    found = until(f"(?s).{{{seen}}}.*?restarting: the process (\\d+) serves")
    pid, seen = int(found.group(1)), found.end()
    until(f"(?s).{{{seen}}}.*?stopping")
    if measured: probes.add(probe())
running = False
loader.join()
if mode == "web": sipper.join()
if mode in ("echo", "relay"): download.shutdown(socket.SHUT_WR)
rest = receive(download)
if mode == "chat" and not rest.endswith(b"The server stops. Goodbye!\n"): errors.append(f"the first member heard at the end {rest[-200:]!r}")
os.kill(pid, signal.SIGTERM)
# All processes of the server have it.
reader.join(LIMIT)
print(json.dumps({"done": done, "errors": errors, "large": 1 + sipped + len(rest), "log": "".join(log), "alive": reader.is_alive(), "probes": list(probes), "migrates": migrates()}))
