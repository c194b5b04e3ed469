// The chat as a handler: in memory, over sockets, and with ncat as the clients.

import assert from "node:assert/strict";
import process from "node:process";
import { setImmediate } from "node:timers";
import { chat } from "../../lib/protocols/chat/chat.ts";
import type { ChatEvent, ChatOptions } from "../../lib/protocols/chat/room.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { observe } from "../../lib/observe/observe.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { serve } from "../../lib/serve/serve.ts";
import type { SocketError } from "../../lib/base/errors.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, Transport } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readAll, turn, until } from "../support/helpers.ts";
import { Program, python } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";

/** A client that remembers what it has read, and waits for lines. */
class Client implements Disposable {
  readonly conn: Conn;
  #text = "";
  readonly #buffer = new Uint8Array(64 * 1024);
  readonly #decoder = new TextDecoder();

  constructor(conn: Conn) {
    this.conn = conn;
  }

  say(text: string): Promise<void> {
    return this.conn.write(bytes(text));
  }

  /** The next line. */
  async hear(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const n = await this.conn.read(this.#buffer);
      assert.notEqual(n, null, `The stream ended after ${JSON.stringify(this.#text)}`);
      this.#text += this.#decoder.decode(this.#buffer.subarray(0, n!), { stream: true });
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  [Symbol.dispose](): void {
    this.conn.close();
  }
}

/** A chat that is served. */
class Place implements AsyncDisposable {
  readonly events: ChatEvent[] = [];
  readonly errors: unknown[] = [];
  readonly clock = new VirtualClock();
  readonly addr: TcpAddr;
  readonly #transport: Transport;
  readonly #stop = new AbortController();
  readonly #served: Promise<unknown>;

  private constructor(
    transport: Transport,
    listener: Awaited<ReturnType<Transport["listen"]>>,
    options: ChatOptions,
  ) {
    this.#transport = transport;
    this.addr = listener.addr as TcpAddr;
    const { signal } = this.#stop;
    const onEvent = (event: ChatEvent) => void this.events.push(event);
    const handler = chat({ signal, onEvent, clock: this.clock, ...options });
    this.#served = serve(listener, handler, {
      signal,
      onError: (error) => this.errors.push(error),
    }).finished;
  }

  static async open(options: ChatOptions = {}, transport: Transport = new MemoryTransport()) {
    return new Place(transport, await transport.listen({ host: "127.0.0.1" }), options);
  }

  connect(): Promise<Conn> {
    return this.#transport.connect(this.addr);
  }

  /** Comes in, and hears that it has. */
  async enter(): Promise<Client> {
    const client = new Client(await this.connect());
    assert.match(await client.hear(), /^\* You are guest\d+; /);
    await client.hear();
    return client;
  }

  /** By default the time passes that members get who do not end their side. */
  async stop(ms = 1000): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(ms);
    await this.#served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

test("chat: a line goes to all others, with the name of who said it", async () => {
  await using place = await Place.open();
  using one = await place.enter();
  using two = await place.enter();
  using three = await place.enter();
  assert.equal(await one.hear(), "* guest2 is here.");
  assert.equal(await one.hear(), "* guest3 is here.");
  assert.equal(await two.hear(), "* guest3 is here.");
  await one.say("hello\r\n\nhow are you?\n");
  for (const other of [two, three]) {
    assert.equal(await other.hear(), "guest1: hello");
    assert.equal(await other.hear(), "guest1: how are you?");
  }
  await two.say("fine\n");
  assert.equal(await one.hear(), "guest2: fine");
  assert.equal(await three.hear(), "guest2: fine");
});

test("chat: a line may come in pieces, and the last one without its end", async () => {
  await using place = await Place.open();
  using one = await place.enter();
  using two = await place.enter();
  for (const piece of ["gr", "ü", "ße", "\nand that", " was all"]) await two.say(piece);
  await two.conn.closeWrite();
  assert.equal(await one.hear(), "* guest2 is here.");
  assert.equal(await one.hear(), "guest2: grüße");
  assert.equal(await one.hear(), "guest2: and that was all");
  assert.equal(await one.hear(), "* guest2 has left.");
  assert.equal(await two.conn.read(new Uint8Array(1)), null);
});

test("chat: who comes learns who is there, and who stays learns who leaves, however", async () => {
  await using place = await Place.open();
  using one = await place.enter();
  const two = new Client(await place.connect());
  assert.equal(await two.hear(), "* You are guest2; '/nick NAME' changes that.");
  assert.equal(await two.hear(), "* Here are also: guest1");
  two.conn.reset();
  assert.equal(await one.hear(), "* guest2 is here.");
  assert.equal(await one.hear(), "* guest2 has left.");
  using three = new Client(await place.connect());
  assert.equal(await three.hear(), "* You are guest3; '/nick NAME' changes that.");
  await three.hear();
  one.conn.close();
  assert.equal(await three.hear(), "* guest1 has left.");
  assert.deepEqual(place.events.map(({ type, name }) => [type, name]), [
    ["join", "guest1"],
    ["join", "guest2"],
    ["leave", "guest2"],
    ["join", "guest3"],
    ["leave", "guest1"],
  ]);
  assert.deepEqual(place.errors.map((error) => (error as SocketError).code), ["ECONNRESET"]);
});

test("chat: /quit leaves, with a last word, and what stands behind it is said to nobody", async () => {
  await using place = await Place.open();
  using one = await place.enter();
  using two = await place.enter();
  await one.hear();
  await two.say("bye\n/quit now\nnobody hears this\n");
  assert.equal(await two.hear(), "* Goodbye!");
  assert.equal(await two.conn.read(new Uint8Array(1)), null);
  assert.equal(await one.hear(), "guest2: bye");
  assert.equal(await one.hear(), "* guest2 has left.");
  for (const habit of ["/exit", "/help", "/QUIT", "/who"]) {
    await one.say(`${habit}\n`);
    assert.equal(await one.hear(), "* There are two commands: /nick NAME and /quit");
  }
  assert.deepEqual(place.errors, []);
});

test("chat: /nick takes a name that is free, and tells of one that is not", async () => {
  await using place = await Place.open();
  using one = await place.enter();
  using two = await place.enter();
  await one.hear();
  await two.say("/nick Zoë\nhi\n");
  assert.equal(await two.hear(), "* You are Zoë now.");
  assert.equal(await one.hear(), "* guest2 is Zoë now.");
  assert.equal(await one.hear(), "Zoë: hi");
  // The same to the eye: case, and a diaeresis of its own.
  await one.say("/nick zoe\u0308\n");
  assert.equal(await one.hear(), "* There is a Zoë already.");
  // Nor can a name be seen to be another one if a character of it cannot be seen.
  const unseen = ["\u3164", "Zo\u00eb\ufe0f", "a\u034fb", "a\u115f", "\uffa0", "a\u{e0100}"];
  for (const wrong of ["a b", "", "é!", "x".repeat(21), "*", "\x1b[31m", ...unseen]) {
    await one.say(`/nick ${wrong}\n`);
    const why = wrong === "" ? /^\* There are two commands: \/nick NAME/ : /^\* A name has 1 to 20/;
    assert.match(await one.hear(), why);
  }
  await one.say("/help\n");
  assert.equal(await one.hear(), "* There are two commands: /nick NAME and /quit");
  // A name that was given up is free again, and the server gives none out twice.
  await two.say("/nick guest3\n");
  assert.equal(await two.hear(), "* You are guest3 now.");
  assert.equal(await one.hear(), "* Zoë is guest3 now.");
  using four = new Client(await place.connect());
  assert.match(await four.hear(), /^\* You are guest4; /);
  await four.say("/nick ZOË\n");
  assert.match(await four.hear(), /^\* Here are also/);
  assert.equal(await four.hear(), "* You are ZOË now.");
});

test("chat: control characters arrive escaped, and can steer no terminal", async () => {
  await using place = await Place.open();
  using one = await place.enter();
  using two = await place.enter();
  await one.hear();
  await two.say("\x1b[2J\x07\ta\rb\x7f\x9b\u202eevil\u2028\u{1f468}\u200d\u{1f469}\n");
  assert.equal(
    await one.hear(),
    "guest2: \\x1b[2J\\x07\ta\\x0db\\x7f\\x9b\\u{202e}evil\\u{2028}\u{1f468}\u200d\u{1f469}",
  );
  await two.conn.write(new Uint8Array([0x80, 0x41, 0xc3, 0x0a]));
  assert.equal(await one.hear(), "guest2: \ufffdA\ufffd");
});

test("chat: a line that is too long is told to its sender, and what is around it arrives", async () => {
  await using place = await Place.open({ maxLine: 10 });
  using one = await place.enter();
  using two = await place.enter();
  await one.hear();
  for (
    const text of [`before\n${"x".repeat(11)}\nafter\n`, `before\n${"x".repeat(9999)}\nafter\n`]
  ) {
    await two.say(text);
    assert.equal(await two.hear(), "* A line has at most 10 bytes: nobody got yours.");
    assert.equal(await one.hear(), "guest2: before");
    assert.equal(await one.hear(), "guest2: after");
  }
  await two.say(`${"x".repeat(10)}\n${"x".repeat(10)}\r\n${"x".repeat(11)}`);
  await two.conn.closeWrite();
  assert.equal(await one.hear(), `guest2: ${"x".repeat(10)}`);
  assert.equal(await one.hear(), `guest2: ${"x".repeat(10)}`);
  assert.equal(await one.hear(), "* guest2 has left.");
  assert.equal(await two.hear(), "* A line has at most 10 bytes: nobody got yours.");
  assert.equal(await two.conn.read(new Uint8Array(1)), null);
});

for (const transport of [new MemoryTransport(), systemTransport]) {
  test(`chat (${transport.name}): a client that never reads is dropped, and stalls nobody`, async () => {
    await using place = await Place.open({}, transport);
    using talker = await place.enter();
    using listener = await place.enter();
    using silent = await place.connect();
    assert.equal(await talker.hear(), "* guest2 is here.");
    assert.equal(await talker.hear(), "* guest3 is here.");
    assert.equal(await listener.hear(), "* guest3 is here.");
    // As much as the kernel holds for a client that does not read, and more.
    const line = `${"x".repeat(900)}\n`;
    let said = 0;
    let dropped = false;
    const heard = (async () => {
      for (let next = 0; !dropped || next < said;) {
        const text = await listener.hear();
        if (text === "* guest3 has left.") dropped = true;
        else if (text === "guest1: end") break;
        else assert.equal(text, `guest1: ${next++} ${"x".repeat(900)}`);
      }
    })();
    while (!dropped && said < 20_000) await talker.say(`${said++} ${line}`);
    await talker.say("end\n");
    await heard;
    assert.ok(dropped, `${said} lines, and still there`);
    assert.equal(await talker.hear(), "* guest3 has left.");
    assert.deepEqual(place.errors.map((error) => (error as SocketError).code), ["ETIMEDOUT"]);
    assert.match(String(place.errors[0]), /it reads too slowly, \d+ bytes wait for it/);
    silent.close();
  });
}

test("chat: what is said in one turn goes to each client in one write", async () => {
  let writes = 0;
  const transport = observe(new MemoryTransport(), ({ type }) => {
    if (type === "send") writes++;
  });
  await using place = await Place.open({}, transport);
  const clients = await Promise.all(Array.from({ length: 10 }, () => place.enter()));
  writes = 0;
  await Promise.all(clients.map((client) => client.say("a\nb\nc\nd\n")));
  for (const client of clients) {
    for (let lines = 0; lines < 9 * 4;) if (/: [a-d]$/.test(await client.hear())) lines++;
  }
  // 10 clients wrote once, and heard 36 lines each.
  assert.ok(writes <= 10 + 20, `${writes} writes`);
  for (const client of clients) client.conn.close();
});

test("chat: when the server stops everybody is told, and nobody is waited for longer than a second", async () => {
  const place = await Place.open();
  using one = await place.enter();
  using silent = await place.connect();
  await one.hear();
  await place.stop();
  assert.equal(await one.hear(), "* The server stops. Goodbye!");
  assert.equal(await one.conn.read(new Uint8Array(1)), null);
  await readAll(silent);
  assert.deepEqual(place.errors, []);
});

test("chat: members who talk all the while hear Goodbye and the end, and no reset", async () => {
  const place = await Place.open({}, systemTransport);
  const { host, port } = place.addr;
  // Each says a line as soon as there is room for it, and hears what comes at the same time.
  await using peer = await python(`
import threading
def take_part(end):
    s = socket.create_connection(("${host}", ${port}))
    s.recv(1)
    leaving, failures = threading.Event(), []
    def talk():
        try:
            while not leaving.is_set(): s.sendall(b"blah\\n" * 100)
        except OSError as error: failures.append(error)
    talker = threading.Thread(target=talk, daemon=True)
    talker.start()
    heard, piece = b"", b"?"
    try:
        while piece:
            piece = s.recv(65536)
            heard = (heard + piece)[-200:]
    except OSError as error: failures.append(error)
    leaving.set()
    talker.join()
    s.close()
    end.append("ok" if heard.endswith(b"The server stops. Goodbye!\\n") and not failures else repr((heard, failures)))
ends = []
members = [threading.Thread(target=take_part, args=(ends,)) for _ in range(3)]
for member in members: member.start()
for member in members: member.join()
for end in ends: say(end)
`);
  await until(() => place.events.length === 3, "three members");
  const stopped = place.stop(0);
  for (let i = 0; i < 3; i++) assert.equal(await peer.hear(), "ok");
  await stopped;
  assert.deepEqual(place.errors, []);
}, ["python3"]);

test("chat: Goodbye is the last word, for a member who reads slowly while others leave, too", async () => {
  const place = await Place.open();
  using slow = await place.enter();
  using other = await place.enter();
  using leaver = await place.enter();
  // More than the 64 KiB that wait in a connection in memory.
  for (let i = 0; i < 80; i++) await other.say(`${"x".repeat(900)}\n`);
  for (let i = 0; i < 80; i++) await leaver.hear();
  const stopped = place.stop();
  leaver.conn.close();
  other.conn.close();
  await turn();
  const heard = (await readAll(slow.conn)).toString();
  assert.ok(heard.endsWith("* The server stops. Goodbye!\n"), heard.slice(-100));
  await stopped;
});

test("chat: a crowd is not more than a signal can have listeners", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on("warning", onWarning);
  await using place = await Place.open();
  const crowd = await Promise.all(Array.from({ length: 20 }, () => place.enter()));
  await new Promise((resolve) => setImmediate(resolve)); // warnings come a turn later
  process.removeListener("warning", onWarning);
  assert.deepEqual(warnings, []);
  for (const { conn } of crowd) conn.close();
});

test("chat: one that leaves and does not read what waits for it is reset", async () => {
  await using place = await Place.open({ maxQueue: 1024 * 1024 });
  using talker = await place.enter();
  using silent = await place.connect();
  await talker.hear();
  for (let i = 0; i < 200; i++) await talker.say(`${"x".repeat(900)}\n`);
  await silent.closeWrite();
  assert.equal(await talker.hear(), "* guest2 has left.");
  await place.clock.advance(5000);
  await assert.rejects(readAll(silent), { code: "ECONNRESET" });
  talker.conn.close();
});

test("chat: ncat clients talk to each other", async () => {
  await using place = await Place.open({}, systemTransport);
  const ncat = () => new Program(["ncat", "127.0.0.1", String(place.addr.port)], { pipe: true });
  await using one = ncat();
  await one.stdout.until(/Nobody else is here\.\n/);
  await using two = ncat();
  await one.stdout.until(/\* guest2 is here\.\n/);
  one.stdin.write("hello there\n");
  await two.stdout.until(/guest1: hello there\n/);
  two.stdin.end("and goodbye\n");
  await one.stdout.until(/guest2: and goodbye\n\* guest2 has left\.\n/);
  assert.equal((await two.exit()).code, 0);
  one.stdin.end();
  assert.equal((await one.exit()).code, 0);
  await until(() => place.events.length === 4, "both to have left");
}, ["ncat"]);
