"""Restarts a server with SIGUSR2 under a load of short connections, and prints what came of it as JSON.

restart_load.py echo|web|relay|chat RATE RESTARTS COMMAND...

A web server serves /small and /large, and a relay leads to an echo server of this program. One
connection is there from the first: a download of /large, bytes that are echoed, or a member of the
chat, who hears Goodbye. In a network namespace of its own, the kernel is told to move who waits at a
socket that is closed. One thread does it all: a thread for each connection would wait for the others.
"""

import asyncio, atexit, fcntl, json, os, re, signal, socket, ssl, struct, sys, time

mode, rate, restarts, command = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
LIMIT = 60
MIGRATES = "/proc/sys/net/ipv4/tcp_migrate_req"
NO_COOKIE = 34  # TCP_FASTOPEN_NO_COOKIE of linux/tcp.h

if os.environ.get("OWN_NAMESPACE"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING
    with open(MIGRATES, "w") as f:
        f.write("1")


def migrates():
    try:
        with open(MIGRATES) as f: return f.read().strip() == "1"
    except OSError: return False  # an older kernel


async def echo(reader, writer):
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()


class Server:
    """The process, its successors, and what all of them log."""

    async def start(self, command):
        self.process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True)
        atexit.register(self.end)
        self.log, self.changed = "", asyncio.Condition()
        self.reader = asyncio.create_task(self.collect())
        url = (await self.process.stdout.readline()).decode()
        self.address = "127.0.0.1", int(re.search(r":(\d+)/?\n", url).group(1))
        self.tls = re.match("https|tls", url) and ssl._create_unverified_context()

    def end(self):
        """Its successors are of the same group."""
        try: os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError: pass

    async def collect(self):
        async for line in self.process.stderr:
            async with self.changed:
                self.log += line.decode()
                self.changed.notify_all()

    async def until(self, pattern, start=0):
        """Looks at what is logged behind the character `start`."""
        async def find():
            async with self.changed:
                while not (found := re.compile(pattern).search(self.log, start)): await self.changed.wait()
                return found

        try: return await asyncio.wait_for(find(), LIMIT)
        except asyncio.TimeoutError: raise SystemExit(f"No {pattern} in\n{self.log}")


class Plain:
    """A connection. `first` is sent with the end of the handshake, however busy the machine is: new connections are not waited for long."""

    async def open(self, address, first):
        self.loop, self.raw = asyncio.get_running_loop(), socket.socket()
        self.raw.setblocking(False)
        if not first: return await self.loop.sock_connect(self.raw, address)
        self.raw.setsockopt(socket.IPPROTO_TCP, NO_COOKIE, 1)
        try: sent = self.raw.sendto(first, socket.MSG_FASTOPEN, address)
        except BlockingIOError: sent = 0
        await self.connected()
        await self.loop.sock_sendall(self.raw, first[sent:])

    async def connected(self):
        done = self.loop.create_future()
        self.loop.add_writer(self.raw, lambda: done.done() or done.set_result(None))
        try: await done
        finally: self.loop.remove_writer(self.raw)
        if code := self.raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR): raise OSError(code, os.strerror(code))

    async def read(self, size): return await self.loop.sock_recv(self.raw, size)

    def shutdown(self): self.raw.shutdown(socket.SHUT_WR)

    def close(self): self.raw.close()


class Secure(Plain):
    """TLS over it. Python's own cannot send `first` with the end of the handshake."""

    def __init__(self, context):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)

    async def open(self, address, first):
        await super().open(address, b"")
        await self.wait_for(self.tls.do_handshake)
        if first: self.tls.write(first)
        await self.flush()

    async def wait_for(self, step):
        while True:
            try: return step()
            except ssl.SSLWantReadError: await self.flush()
            data = await super().read(65536)
            if data: self.incoming.write(data)
            else: self.incoming.write_eof()

    async def flush(self): await self.loop.sock_sendall(self.raw, self.outgoing.read())

    async def read(self, size):
        try: return await self.wait_for(lambda: self.tls.read(size))
        except ssl.SSLZeroReturnError: return b""


def get(path):
    return f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()


async def receive(connection):
    data = bytearray()
    while piece := await connection.read(65536): data += piece
    return bytes(data)


class Load:
    """Short connections, RATE a second. It is bounded: on a busy machine a server would make room for newcomers."""

    def __init__(self, server):
        self.server, self.errors, self.done, self.running = server, [], 0, True
        self.places = asyncio.Semaphore(50 if server.tls else 500)

    async def connect(self, first):
        connection = Secure(self.server.tls) if self.server.tls else Plain()
        try: await connection.open(self.server.address, first)
        except BaseException:
            connection.close()
            raise
        return connection

    async def run(self):
        visits, start = [], time.monotonic()
        while self.running:
            await self.places.acquire()
            visits.append(asyncio.create_task(self.visit()))
            await asyncio.sleep(max(0, start + len(visits) / rate - time.monotonic()))
        await asyncio.gather(*visits)

    async def visit(self):
        # A word in a chat could cross the Goodbye of the server, and be answered with a reset: FIN is not.
        message = {"web": get("/small"), "chat": b""}.get(mode, os.urandom(5000))
        start, step = time.monotonic(), "connecting"
        try:
            connection = await asyncio.wait_for(self.connect(message), LIMIT)
            step = "connected"
            try: await asyncio.wait_for(self.hear(connection, message), LIMIT)
            finally: connection.close()
        except Exception as error: self.errors.append(f"{step}: {error!r} {time.monotonic() - start:.3f} s after the start")
        finally: self.places.release()

    async def hear(self, connection, message):
        if mode != "web": connection.shutdown()
        data = await receive(connection)
        if mode == "web": whole = data.endswith(b"END") and b" 200 OK" in data
        elif mode == "chat": whole = b"* You are guest" in data
        else: whole = data == message
        if whole: self.done += 1
        else: self.errors.append(f"{len(data)} bytes came, at the end {data[-100:]!r}")


class Long:
    """The connection that is there from the first."""

    def __init__(self, connection): self.connection, self.taken = connection, 0

    async def sip(self):
        """Takes a little all the while: a client that takes nothing for half a minute would be given up."""
        while True:
            self.taken += len(await self.connection.read(32768))
            await asyncio.sleep(0.1)

    async def finish(self):
        if mode in ("echo", "relay"): self.connection.shutdown()
        rest = await receive(self.connection)
        self.taken += len(rest)
        return rest


async def probe(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.split(b" ")[1].decode()


async def restart(server):
    """Returns the process that serves at the end, and what /readyz said just after each restart."""
    measured = "--metrics" in command and await server.until(r"metrics at http://127\.0\.0\.1:(\d+)/")
    pid, seen, probes = server.process.pid, 0, set()
    for _ in range(restarts):
        os.kill(pid, signal.SIGUSR2)
        found = await server.until(r"restarting: the process (\d+) serves", seen)
        pid, seen = int(found.group(1)), found.end()
        await server.until("stopping", seen)
        if measured: probes.add(await asyncio.wait_for(probe(int(measured.group(1))), LIMIT))
    return pid, probes


async def main():
    target = mode == "relay" and await asyncio.start_server(echo, "127.0.0.1", 0, backlog=1024)
    to = ["--to", "127.0.0.1:%d" % target.sockets[0].getsockname()[1]] if target else []
    server = Server()
    await server.start(command + to)
    load = Load(server)
    running = asyncio.create_task(load.run())
    long = Long(await load.connect(b"" if mode == "chat" else get("/large")))
    long.taken += len(await long.connection.read(1))
    sipping = mode == "web" and asyncio.create_task(long.sip())
    pid, probes = await restart(server)
    load.running = False
    await running
    if sipping:
        sipping.cancel()
        await asyncio.wait([sipping])
    rest = await asyncio.wait_for(long.finish(), LIMIT)
    if mode == "chat" and not rest.endswith(b"The server stops. Goodbye!\n"):
        load.errors.append(f"the first member heard at the end {rest[-200:]!r}")
    os.kill(pid, signal.SIGTERM)
    # All processes of the server have it.
    await asyncio.wait([server.reader], timeout=LIMIT)
    print(json.dumps({
        "done": load.done, "errors": load.errors, "large": long.taken, "log": server.log,
        "alive": not server.reader.done(), "probes": list(probes), "migrates": migrates(),
    }), flush=True)


asyncio.run(main())
