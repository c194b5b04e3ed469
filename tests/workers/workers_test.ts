// Workers that serve at one address: started, replaced, stopped and counted together. How they share it
// is what docs/three_ways.md says.

import assert from "node:assert/strict";
import fs, { mkdtempSync, rmSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { deferred } from "../../lib/base/wait.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Addr } from "../../lib/base/addr.ts";
import type { Conn } from "../../lib/net/transport.ts";
import type { FromWorker } from "../../lib/workers/protocol.ts";
import type { WorkerListener } from "../../lib/workers/handle.ts";
import { Slot } from "../../lib/workers/slot.ts";
import type { WorkerKind } from "../../lib/workers/protocol.ts";
import { startWorkers, type WorkerEvent } from "../../lib/workers/workers.ts";
import type { Workers, WorkersOptions, WorkersSummary } from "../../lib/workers/workers.ts";
import { bytes, OWN_HOST, readText, rejects, until } from "../support/helpers.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { assertShare, cellOf, SHARED } from "./three_ways.ts";
import { WORKER_MODULE } from "./worker_module.ts";

/** Whether a socket can be handed to processes. */
const HANDS_OVER = systemTransport.name === "node" && runtime !== "Bun";

async function canReusePort(): Promise<boolean> {
  try {
    (await systemTransport.listen({ reusePort: true })).close();
    return true;
  } catch (error) {
    assert.equal((error as SocketError).code, "ENOTSUP");
    return false;
  }
}

const REUSES_PORT = await canReusePort();

/** What this runtime has. On Deno, threads need a flag: the tests of the scripts give it. */
const KINDS: WorkerKind[] = REUSES_PORT ? ["processes", "threads"] : ["processes"];

/** Workers that are stopped at the end of a test. */
class Running implements AsyncDisposable {
  readonly workers: Workers;
  readonly events: WorkerEvent[];
  /** How many connections there were. */
  connects = 0;
  readonly #stop: AbortController;
  readonly #waiting: Set<() => void>;

  constructor(
    workers: Workers,
    events: WorkerEvent[],
    stop: AbortController,
    waiting: Set<() => void>,
  ) {
    this.workers = workers;
    this.events = events;
    this.#stop = stop;
    this.#waiting = waiting;
  }

  static async start(options: Partial<WorkersOptions> = {}): Promise<Running> {
    const stop = new AbortController();
    const events: WorkerEvent[] = [];
    const waiting = new Set<() => void>();
    const workers = await startWorkers(WORKER_MODULE, {
      workers: 2,
      drainTimeout: 10_000,
      ...options,
      signal: stop.signal,
      onEvent: (event) => {
        events.push(event);
        for (const look of waiting) look();
      },
    });
    return new Running(workers, events, stop, waiting);
  }

  /** Waits until there have been `n` events of a type. */
  async event(type: WorkerEvent["type"], n: number): Promise<void> {
    const happened = deferred<void>();
    const look = () => {
      if (this.events.filter((event) => event.type === type).length >= n) happened.resolve();
    };
    this.#waiting.add(look);
    look();
    await happened.promise;
    this.#waiting.delete(look);
  }

  async connect(): Promise<Conn> {
    const conn = await connect(this.workers.addr);
    this.connects++;
    return conn;
  }

  stop(): Promise<WorkersSummary> {
    this.#stop.abort();
    return this.workers.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The URL of a module; in Base64, since Bun takes what is behind its last dot for an extension. */
function moduleOf(code: string): string {
  return `data:text/javascript;base64,${btoa(code)}`;
}

function connect(addr: Addr): Promise<Conn> {
  return addr.transport === "unix"
    ? systemTransport.connect({ path: addr.path })
    : systemTransport.connect(addr);
}

/** Asks a worker for its number and its process. */
async function who(conn: Conn): Promise<{ id: number; pid: number }> {
  await conn.write(bytes("who"));
  const buffer = new Uint8Array(64);
  const n = await conn.read(buffer);
  assert.notEqual(n, null, "The worker hung up");
  const [id, pid] = new TextDecoder().decode(buffer.subarray(0, n!)).split(" ").map(Number);
  return { id, pid };
}

/** Connects until each of the workers has one connection; the others have ended on both sides. */
async function oneOfEach(running: Running, count: number): Promise<Map<number, Conn>> {
  const found = new Map<number, Conn>();
  for (let tries = 0; found.size < count; tries++) {
    assert.ok(tries < 500, `Of ${count} workers only ${[...found.keys()]} answer`);
    const conn = await running.connect();
    const { id } = await who(conn);
    if (!found.has(id)) {
      found.set(id, conn);
      continue;
    }
    await conn.closeWrite();
    assert.equal(await conn.read(new Uint8Array(1)), null);
    conn.close();
  }
  return found;
}

function closeAll(conns: Map<number, Conn>): void {
  for (const conn of conns.values()) conn.close();
}

for (const kind of KINDS) {
  test(`workers: ${kind} all serve at one address, which they share as docs/three_ways.md says, are counted, and finish what is under way`, async () => {
    await using running = await Running.start({ kind });
    assertShare(kind, "TCP", running.workers.addr);
    for (let i = 0; i < 20; i++) {
      using conn = await running.connect();
      await who(conn);
    }
    const reports = await running.workers.reports();
    assert.deepEqual(reports.map(({ id }) => id), [1, 2]);
    const said = reports.map(({ report }) => (report as { said: number }).said);
    assert.equal(said[0] + said[1], 20, "each answers for itself");
    await until(() => running.workers.counts().accepted === 20, "20 connections to be counted");
    const conns = await oneOfEach(running, 2);
    assert.deepEqual([...conns.keys()].sort(), [1, 2]);
    const pids = new Set((await Promise.all([...conns.values()].map(who))).map(({ pid }) => pid));
    assert.equal(pids.size, kind === "processes" ? 2 : 1);
    assert.equal(pids.has(process.pid), kind === "threads");

    // They finish the conversations under way, and their counts add up.
    const before = running.connects;
    const ended = running.stop();
    // Told to stop, each closes its listener; what it holds goes on.
    for (;;) {
      try {
        (await running.connect()).close();
      } catch (error) {
        const { code } = error as SocketError;
        if (code === "ECONNREFUSED") break;
        assert.equal(code, "ECONNRESET"); // It came just before.
      }
    }
    for (const conn of conns.values()) {
      await conn.write(bytes("goodbye"));
      assert.equal(await readText(conn, 7), "goodbye");
    }
    closeAll(conns);
    const { accepted, reset, restarts, lost, workers } = await ended;
    assert.deepEqual([reset, restarts, lost], [0, 0, 0]);
    // Whether one that came while they stopped was accepted is not known here.
    assert.ok(before <= accepted && accepted <= running.connects, `${accepted} of ${before}`);
    assert.equal(workers.reduce((sum, counts) => sum + counts.accepted, 0), accepted);
    assert.ok(workers.every((counts) => counts.accepted >= 1));
  });

  test(`workers: stop() gives ${kind} a drain timeout of its own`, async () => {
    await using running = await Running.start({ kind, workers: 1, drainTimeout: 600_000 });
    const conns = await oneOfEach(running, 1);
    const { reset, lost } = await running.workers.stop({ drainTimeout: 100 });
    assert.deepEqual([reset, lost], [1, 0]);
    closeAll(conns);
  });

  test(`workers: of ${kind}, one that throws is replaced, the others go on, and what is left is reset in time`, async () => {
    await using running = await Running.start({ kind, drainTimeout: 100 });
    const conns = await oneOfEach(running, 2);
    await conns.get(1)!.write(bytes("throw"));
    await running.event("ready", 3);
    const [crash] = running.events.filter((event) => event.type === "crash");
    assert.equal(crash.id, 1);
    assert.match(crash.how, kind === "threads" ? /on purpose/ : /exit code 1/);
    await conns.get(2)!.write(bytes("alive"));
    assert.equal(await readText(conns.get(2)!, 5), "alive");
    const more = await oneOfEach(running, 2);

    // They reset what is not finished within the drain timeout, and count it.
    const { restarts, workers, reset, lost } = await running.stop();
    assert.equal(restarts, 1);
    assert.deepEqual(workers.map((counts) => counts.restarts), [1, 0]);
    assert.deepEqual([reset, lost], [3, 0]);
    assert.deepEqual(workers.map((counts) => counts.reset), [1, 2]);
    closeAll(conns);
    closeAll(more);
  });

  test(`workers: ${kind} that crash again and again are restarted ever later`, async () => {
    const clock = new VirtualClock();
    const waits: number[] = [];
    const crashed = new Set<() => void>();
    const stop = new AbortController();
    const workers = await startWorkers(WORKER_MODULE, {
      workers: 1,
      kind,
      clock,
      data: { throwAtOnce: true },
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type !== "crash") return;
        assert.equal(event.how, "failed: thrown at once");
        waits.push(event.restartIn);
        for (const tell of crashed) tell();
      },
    });
    while (waits.length < 2) {
      const next = deferred<void>();
      crashed.add(next.resolve);
      const n = waits.length;
      if (n > 0) await clock.advance(waits[n - 1]);
      if (waits.length === n) await next.promise;
      crashed.delete(next.resolve);
    }
    assert.deepEqual(waits, [100, 200]);
    stop.abort();
    assert.equal((await workers.finished).restarts, 1);
  });

  test(`workers: of ${kind}, one that hangs when all are to stop is killed`, async () => {
    const clock = new VirtualClock();
    await using running = await Running.start({ kind, clock, drainTimeout: 1000 });
    const conns = await oneOfEach(running, 2);
    await conns.get(1)!.write(bytes("hang"));
    const ended = running.stop();
    // The other one stops in good order, and hangs up.
    await conns.get(2)!.closeWrite();
    assert.equal(await conns.get(2)!.read(new Uint8Array(1)), null);
    await until(
      () => kind === "threads" || running.workers.counts().workers[1].pid === undefined,
      "the other process to end",
    );
    await clock.advance(6000);
    const { lost } = await ended;
    assert.ok(kind === "threads" ? lost >= 1 : lost === 1);
    closeAll(conns);
  });

  test(`workers: ${kind} of a module that cannot serve reject with what it says`, async () => {
    const start = (code: string, workers = 1) => startWorkers(moduleOf(code), { workers, kind });
    await assert.rejects(start("export default 7", 2), /does not export a function as its default/);
    await assert.rejects(start("throw new Error('no database')"), /no database/);
    await assert.rejects(
      start("export default () => Promise.resolve({ accepted: 0, refused: 0, reset: 0 })"),
      /stopped serving without being told to/,
    );
    await assert.rejects(
      start("import process from 'node:process'; process.exit(3)"),
      /ended with exit code 3 before it listened/,
    );
  });

  test(`workers: ${kind} are refused a port that is in use`, async () => {
    using listener = await systemTransport.listen({ host: "127.0.0.1" });
    const { host, port } = listener.addr;
    const error = await rejects(
      startWorkers(WORKER_MODULE, { workers: 2, kind, listen: { host, port } }),
      "EADDRINUSE",
    );
    assert.match(error.message, new RegExp(`^Cannot listen on ${host}:${port}: `));
  });

  test(`workers: ${kind} listen on a port that nobody else can take, and a later stop() cuts the drain short`, async () => {
    const free = await systemTransport.listen({ host: OWN_HOST });
    const { host, port } = free.addr;
    free.close();
    const listen = { host, port };
    await using running = await Running.start({ kind, workers: 1, drainTimeout: Infinity, listen });
    assert.deepEqual(running.workers.addr, { transport: "tcp", host, port });
    await rejects(systemTransport.listen(listen), "EADDRINUSE");
    await rejects(startWorkers(WORKER_MODULE, { workers: 1, kind, listen }), "EADDRINUSE");

    // A later stop() cuts the drain short.
    using conn = await running.connect();
    await who(conn);
    void running.workers.stop({ drainTimeout: Infinity });
    const { reset, lost } = await running.workers.stop({ drainTimeout: 0 });
    assert.deepEqual([reset, lost], [1, 0]);
  });

  test(`workers: ${kind} speak TLS, and share its address as docs/three_ways.md says`, async () => {
    const { cert, key } = await selfSigned(["localhost"]);
    await using running = await Running.start({
      kind,
      listen: { host: "127.0.0.1", tls: { cert, key } },
    });
    assertShare(kind, "TLS", running.workers.addr);
    const ids = new Set<number>();
    for (let tries = 0; ids.size < 2; tries++) {
      assert.ok(tries < 500, `Of 2 workers only ${[...ids]} answer`);
      const options = { servername: "localhost", caCerts: [cert] };
      using conn = await systemTransport.startTls(await running.connect(), options);
      ids.add((await who(conn)).id);
    }
  });

  test(`workers: ${kind} that are aborted before they start do not start`, async () => {
    const signal = AbortSignal.abort();
    await rejects(startWorkers(WORKER_MODULE, { workers: 2, kind, signal }), "ECANCELED");
  });
}

test("workers: while a process that was killed is replaced, no client is refused", async () => {
  await using running = await Running.start();
  const victims = await oneOfEach(running, 2);
  let connected = 0;
  let kills = 0;
  let stop = false;
  const crashed = () => running.events.filter(({ type }) => type === "crash").length;
  const clients = Promise.all(Array.from({ length: 4 }, async () => {
    while (!stop) {
      const gone = crashed();
      try {
        using conn = await running.connect();
        connected++;
        await who(conn);
      } catch (error) {
        // The victim had accepted it, or was to. What there must not be is ECONNREFUSED.
        if (error instanceof SocketError) assert.equal(error.code, "ECONNRESET");
        assert.ok(kills > gone, `Cut although no process was ending: ${error}`);
      }
    }
  }));
  for (const [round, id] of [1, 2].entries()) {
    await until(() => connected >= 50 * (round + 1), "50 more to be connected");
    const { pid } = running.workers.counts().workers[id - 1];
    kills++;
    process.kill(pid!, "SIGKILL");
    await running.event("ready", 3 + round);
  }
  stop = true;
  await clients;
  closeAll(victims);
  const crashes = running.events.filter((event) => event.type === "crash");
  assert.deepEqual(crashes.map(({ how }) => how), Array(2).fill("was ended by SIGKILL"));
});

test("workers: a socket that is handed over keeps clients while no process is left", async () => {
  if (!HANDS_OVER) return; // By SO_REUSEPORT they would be refused: there is nothing to hold.
  const clock = new VirtualClock();
  await using running = await Running.start({ workers: 1, clock });
  const [{ pid }] = running.workers.counts().workers;
  process.kill(pid!, "SIGKILL");
  await running.event("crash", 1);
  using conn = await running.connect();
  await conn.write(bytes("who"));
  await clock.advance(100);
  const buffer = new Uint8Array(64);
  assert.ok(await conn.read(buffer) !== null);
});

test("workers: a Unix socket is handed over as docs/three_ways.md says, or ENOTSUP", async () => {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  const path = join(dir, "socket");
  try {
    const listen = { path };
    const refused = (kind: WorkerKind) =>
      rejects(startWorkers(WORKER_MODULE, { workers: 2, kind, listen }), "ENOTSUP");
    await refused("threads");
    if (!HANDS_OVER) return void await refused("processes");
    {
      await using running = await Running.start({ listen });
      assert.deepEqual(running.workers.addr, { transport: "unix", path });
      assertShare("processes", "a Unix socket", running.workers.addr);
      closeAll(await oneOfEach(running, 2));
      await rejects(startWorkers(WORKER_MODULE, { workers: 2, listen }), "EADDRINUSE");
    }
    await rejects(systemTransport.connect({ path }), "ENOENT");
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("workers: a Unix socket whose permissions cannot be set leaves no file behind", async () => {
  if (!HANDS_OVER) return;
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  const { chmodSync } = fs;
  fs.chmodSync = () => {
    throw Object.assign(new Error("chmod"), { code: "EPERM" });
  };
  syncBuiltinESMExports();
  try {
    const listen = { path: join(dir, "socket"), mode: 0o600 };
    await rejects(startWorkers(WORKER_MODULE, { workers: 1, listen }), "EACCES");
    assert.deepEqual(fs.readdirSync(dir), []);
  } finally {
    fs.chmodSync = chmodSync;
    syncBuiltinESMExports();
    rmSync(dir, { recursive: true });
  }
});

for (const kind of ["processes", "threads"] as const) {
  test(`workers: what ${kind} cannot share on ${runtime} is refused, as the table of docs/three_ways.md says`, async () => {
    const { cert, key } = await selfSigned(["localhost"]);
    const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
    const tcp = { host: "127.0.0.1" };
    const listens = [tcp, { ...tcp, tls: { cert, key } }, { path: join(dir, "socket") }];
    try {
      for (const [i, what] of SHARED.entries()) {
        // What they share is looked at above.
        const shares = what === "a Unix socket"
          ? kind === "processes" && HANDS_OVER
          : KINDS.includes(kind);
        if (shares) continue;
        assert.equal(cellOf(kind, what), "`ENOTSUP`");
        await rejects(
          startWorkers(WORKER_MODULE, { workers: 2, kind, listen: listens[i] }),
          "ENOTSUP",
        );
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}

/** What a slot asks of a worker that does nothing by itself. */
const IDLE_HANDLE = { pid: 1, post() {}, release() {}, kill() {} };

const READY: FromWorker = {
  type: "ready",
  addr: { transport: "tcp", host: "127.0.0.1", port: 1 },
};

test("workers: one that gives no report in time has none, and neither has one that ends", async () => {
  const clock = new VirtualClock();
  const posted: string[] = [];
  let listener: WorkerListener;
  const slot = new Slot(1, {
    clock,
    drainTimeout: 0,
    launch: (given) => {
      listener = given;
      return { ...IDLE_HANDLE, post: ({ type }) => void posted.push(type) };
    },
    startMessage: () => ({ type: "stop", drainTimeout: 0 }),
    onReady: () => {},
    onCrash: () => {},
  });
  const started = slot.start();
  assert.deepEqual(await slot.report(1000), { id: 1, report: undefined }, "it does not listen yet");
  listener!.onMessage(READY);
  await started;
  const late = slot.report(1000);
  await clock.advance(1000);
  assert.deepEqual(await late, { id: 1, report: undefined });
  const [second, third] = [slot.report(1000), slot.report(1000)];
  listener!.onMessage({ type: "report", report: 5 });
  assert.deepEqual(await second, { id: 1, report: 5 });
  assert.deepEqual(await third, { id: 1, report: 5 });
  assert.deepEqual(posted, ["ask"], "it is not asked again before it has answered");
  const last = slot.report(1000);
  listener!.onEnd("was ended by SIGKILL");
  assert.deepEqual(await last, { id: 1, report: undefined });
  slot.stop();
  await slot.ended;
});

test("workers: a restart that cannot even be tried is tried again, ever later", async () => {
  const clock = new VirtualClock();
  const crashes: [string, number][] = [];
  let listener: WorkerListener | undefined;
  const slot = new Slot(1, {
    clock,
    drainTimeout: 0,
    launch: (given) => {
      if (listener !== undefined) throw new Error("spawn ENOMEM");
      listener = given;
      return IDLE_HANDLE;
    },
    startMessage: () => ({ type: "stop", drainTimeout: 0 }),
    onReady: () => {},
    onCrash: (_id, _pid, how, restartIn) => crashes.push([how, restartIn]),
  });
  const started = slot.start();
  listener!.onMessage(READY);
  await started;
  listener!.onEnd("was ended by SIGKILL");
  await clock.advance(300);
  const failed = "could not start: spawn ENOMEM";
  assert.deepEqual(crashes, [["was ended by SIGKILL", 100], [failed, 200], [failed, 400]]);
  slot.stop();
  await slot.ended;
});

test("workers: one that has served before all are to stop is not lost, and one that fails is", async () => {
  const done: FromWorker = { type: "done", summary: { accepted: 3, refused: 1, reset: 0 } };
  const failed: FromWorker = {
    type: "failed",
    failure: { message: "no", stack: "", socket: undefined },
  };
  for (const [last, lost] of [[done, false], [failed, true]] as const) {
    let listener: WorkerListener;
    const slot = new Slot(1, {
      clock: new VirtualClock(),
      drainTimeout: 0,
      launch: (given) => {
        listener = given;
        return IDLE_HANDLE;
      },
      startMessage: () => ({ type: "stop", drainTimeout: 0 }),
      onReady: () => {},
      onCrash: () => assert.fail("It is not to be replaced"),
    });
    const started = slot.start();
    listener!.onMessage(READY);
    await started;
    listener!.onMessage(last);
    slot.stop();
    listener!.onEnd("ended with exit code 0");
    await slot.ended;
    assert.equal(slot.lost, lost, last.type);
    assert.equal(slot.accepted, last === done ? 3 : 0);
  }
});

test("workers: their number is a whole one from 1", async () => {
  for (const workers of [0, -1, 1.5, NaN]) {
    await assert.rejects(startWorkers(WORKER_MODULE, { workers }), RangeError);
  }
});

test("workers: a worker cannot start workers", async () => {
  const mod = JSON.stringify(new URL("../../lib/workers/workers.ts", import.meta.url));
  const path = import.meta.url.endsWith(".js") ? mod.replace(".ts", ".js") : mod;
  const code = `import { startWorkers } from ${path};
    export default () => startWorkers(import.meta.url, { workers: 1 });`;
  await assert.rejects(
    startWorkers(moduleOf(code), { workers: 1 }),
    /A worker cannot start workers/,
  );
});
