// Rooms on a real NATS: three servers with the fault relay in between, and the official client of Node
// as an observer.

import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import {
  type ChatMessage,
  type ChatPosition,
  type ChatRoom,
  chatRoom,
  type NatsBus,
  natsBus,
} from "../../lib/protocols/chat/mod.ts";
import { loadNats } from "../../lib/protocols/chat/nats/packages.deno.ts";
import { natsPlace } from "../../lib/protocols/chat/nats/url.ts";
import { serve } from "../../lib/serve/serve.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readAll, readText, until } from "../support/helpers.ts";
import { FaultRelay, Nats } from "../support/nats.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { Browser, enter } from "./chat_browser.ts";

/** Everything in pieces, and late. */
const PLAN = "split=40±30, delay=2ms±2";

/** One server of a chat, its way to NATS, and what its bus said. */
class ChatServer implements AsyncDisposable {
  readonly relay: FaultRelay;
  readonly states: string[] = [];
  readonly #stop = new AbortController();
  #bus: NatsBus | undefined;
  room!: ChatRoom;

  private constructor(nats: Nats) {
    this.relay = new FaultRelay(nats.port, PLAN);
  }

  static async start(nats: Nats, history = 0): Promise<ChatServer> {
    const server = new ChatServer(nats);
    try {
      await server.#start(history);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(history: number): Promise<void> {
    await this.relay.open();
    this.#bus = await natsBus({
      url: `nats://127.0.0.1:${this.relay.port}/test`,
      history,
      onState: (state, why) => this.states.push(why === "" ? state : `${state}: ${why}`),
    });
    this.room = chatRoom({ bus: this.#bus, signal: this.#stop.signal });
    await this.until("up");
  }

  /** Waits until the bus says so last. */
  async until(state: string): Promise<void> {
    await until(() => this.states.at(-1)?.startsWith(state) === true, `the bus to be ${state}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#bus?.closed;
    await this.relay[Symbol.asyncDispose]();
  }
}

/** How long the clients of NATS wait, in milliseconds: they have no clock of ours. */
interface Waits extends Disposable {
  /** For each connection, how long a bus may be silent. */
  readonly silence: number[];
  /** For each line, how long it may take to be kept. */
  readonly keeping: (number | undefined)[];
}

/** Notes what connections are made with from now on. */
async function noteWaits(): Promise<Waits> {
  const { core: { NatsConnectionImpl }, jetstream: { jetstream } } = await loadNats();
  const { connect } = NatsConnectionImpl;
  const [silence, keeping]: [number[], (number | undefined)[]] = [[], []];
  const undo = [() => void (NatsConnectionImpl.connect = connect)];
  NatsConnectionImpl.connect = async (options = {}) => {
    // One ping each interval; it is lost when the next would be one too many.
    silence.push(options.pingInterval! * (options.maxPingOut! + 1));
    const nc = await connect.call(NatsConnectionImpl, options);
    const client = Object.getPrototypeOf(jetstream(nc)) as ReturnType<typeof jetstream>;
    const { publish } = client;
    client.publish = function (subject, payload, options) {
      keeping.push(options?.timeout);
      return publish.call(this, subject, payload, options);
    };
    undo.push(() => void (client.publish = publish));
    return nc;
  };
  return { silence, keeping, [Symbol.dispose]: () => undo.reverse().forEach((fn) => fn()) };
}

/** The lines that a client has heard. */
function linesOf({ heard }: Browser): Extract<ChatMessage, { type: "said" }>[] {
  return heard.filter((message) => message.type === "said");
}

function textsOf(browser: Browser): string[] {
  return linesOf(browser).map(({ text }) => text);
}

const hears = (browser: Browser, text: string) =>
  until(() => JSON.stringify(browser.heard).includes(text), `'${text}'`);

/** The members of all servers, each of whom knows all the others. */
async function enterAll(servers: readonly Pick<ChatServer, "room">[]): Promise<Browser[]> {
  const all = await Promise.all(servers.map(({ room }) => enter(room)));
  const names = all.map(({ welcome }) => (welcome as { name: string }).name);
  for (const { browser, welcome } of all) {
    const known = () => JSON.stringify([welcome, ...browser.heard]);
    await until(() => names.every((name) => known().includes(name)), "all to know each other");
  }
  return all.map(({ browser }) => browser);
}

test(
  "chat nats: three servers are one room, through faults, and heal after the bus was away",
  async () => {
    await using nats = await Nats.start();
    await using a = await ChatServer.start(nats);
    await using b = await ChatServer.start(nats);
    await using c = await ChatServer.start(nats);
    const [one, two, three] = await enterAll([a, b, c]);

    for (let i = 0; i < 50; i++) for (const browser of [one, two]) browser.say(`line ${i}`);
    await until(() => [one, two, three].every((each) => linesOf(each).length === 100), "all lines");
    const senders = new Set(linesOf(three).map(({ name }) => name));
    for (const sender of senders) {
      const texts = linesOf(three).filter(({ name }) => name === sender).map(({ text }) => text);
      assert.deepEqual(texts, Array.from({ length: 50 }, (_, i) => `line ${i}`));
    }

    await a.relay.cut();
    await hears(one, "out of reach");
    await a.until("down: ");
    one.say("alone");
    two.say("without one");
    await hears(one, "alone");
    await hears(three, "without one");
    await a.relay.open();
    await hears(one, "can be reached again");
    two.say("back");
    await hears(one, "back");
    one.say("thanks");
    await hears(three, "thanks");
    assert.deepEqual(textsOf(one).slice(100), ["alone", "back", "thanks"]);
    assert.deepEqual(textsOf(three).slice(100), ["without one", "back", "thanks"]);
    two.say("/nick Ada");
    await hears(one, '"newName":"Ada"');
  },
  ["nats-server"],
);

test(
  "chat nats: servers of one process that connect at the same time have a connection each",
  async () => {
    await using nats = await Nats.start();
    const stop = new AbortController();
    const buses = await Promise.all([1, 2].map(() => natsBus({ url: `${nats.url}/test` })));
    try {
      const rooms = buses.map((bus) => chatRoom({ bus, signal: stop.signal }));
      const [one, two] = await enterAll(rooms.map((room) => ({ room })));
      one.say("hello");
      await hears(two, "hello");
      two.say("hello yourself");
      await hears(one, "hello yourself");
    } finally {
      stop.abort();
      await Promise.all(buses.map(({ closed }) => closed));
    }
  },
  ["nats-server"],
);

test(
  "chat nats: NATS's own client hears the room and speaks in it; what is not valid is ignored",
  async () => {
    await using nats = await Nats.start();
    await using server = await ChatServer.start(nats);
    const { browser } = await enter(server.room);
    const observer = await connect({ servers: nats.url, reconnect: false, noEcho: true });
    try {
      const heard: { name: string; text: string }[] = [];
      observer.subscribe("plainsocket.chat.test.lines", {
        callback: (_error, message) => void heard.push(message.json()),
      });
      await observer.flush();
      browser.say("hello");
      await until(() => heard.length === 1, "the line");
      assert.equal(heard[0].text, "hello");
      const line = {
        ...heard[0],
        server: "observer",
        number: 1,
        name: "Eve",
        text: "from outside",
      };
      for (const text of ["", "no JSON", "{}", JSON.stringify(line)]) {
        observer.publish("plainsocket.chat.test.lines", text);
      }
      await hears(browser, "from outside");
      assert.deepEqual(textsOf(browser), ["hello", "from outside"]);
    } finally {
      await observer.close();
    }
  },
  ["nats-server"],
);

test(
  "chat nats: with history there is one order, and who comes back gets exactly what was missed",
  async () => {
    await using nats = await Nats.start("--jetstream");
    await using a = await ChatServer.start(nats, 100);
    await using b = await ChatServer.start(nats, 100);
    const [one, two] = await enterAll([a, b]);
    for (let i = 0; i < 20; i++) for (const browser of [one, two]) browser.say(`${i}`);
    await until(() => [one, two].every((each) => linesOf(each).length === 40), "all lines");
    assert.deepEqual(linesOf(one), linesOf(two));
    const middle = linesOf(one)[9].position!;
    assert.equal(middle.offset, 10);
    const missed = linesOf(one).slice(10);

    // NATS goes away, and comes back with what it had kept.
    await nats.stop();
    await Promise.all([a.until("down"), b.until("down")]);
    one.say("only here");
    await hears(one, "only here");
    await nats.again();
    await Promise.all([a.until("up"), b.until("up")]);
    const { browser: back } = await enter(b.room, new Browser(), middle);
    two.say("last");
    for (const browser of [back, one]) await hears(browser, '"last"');
    assert.deepEqual(linesOf(back).slice(0, -1), missed);
    assert.equal(linesOf(back).at(-1)!.position!.offset, 41);
    assert.ok(back.heard.every(({ type }) => type !== "gap"));
    // A server that starts later has all of it, too.
    await using c = await ChatServer.start(nats, 100);
    const { browser: third } = await enter(c.room, new Browser(), middle);
    await hears(third, '"last"');
    assert.deepEqual(linesOf(third), linesOf(back));
  },
  ["nats-server"],
);

test("chat nats: a stream that was lost, or has dropped lines, is an explicit gap", async () => {
  await using nats = await Nats.start("--jetstream");
  await using a = await ChatServer.start(nats, 3);
  const { browser: one, welcome } = await enter(a.room);
  const { position } = welcome as { position: ChatPosition };
  for (let i = 1; i <= 5; i++) one.say(`${i}`);
  await until(() => linesOf(one).length === 5, "the lines");
  const { browser: late } = await enter(a.room, new Browser(), position);
  await hears(late, '"5"');
  assert.deepEqual(late.heard[0], { type: "gap", position: { ...position, offset: 2 } });
  assert.deepEqual(textsOf(late), ["3", "4", "5"]);

  const observer = await connect({ servers: nats.url, reconnect: false });
  const { streams } = await jetstreamManager(observer);
  await streams.delete("plainsocket-chat-test");
  await observer.close();
  // That it is gone is noticed with the next line at the latest.
  one.say("lost");
  await hears(one, '"gap"');
  const gap = one.heard.find((message) => message.type === "gap");
  assert.ok(gap?.position !== undefined && gap.position.epoch > position.epoch);
  await a.until("up");
  one.say("new");
  await hears(one, '"new"');
  assert.deepEqual(linesOf(one).at(-1)!.position, { ...gap.position, offset: 1 });
}, ["nats-server"]);

test(
  "chat nats: a stream that comes back without its last lines is a gap, and goes on",
  async () => {
    await using nats = await Nats.start("--jetstream");
    await using a = await ChatServer.start(nats, 100);
    const [kept, backup] = ["jetstream", "backup"].map((name) => join(nats.folder, name));
    const { browser: one } = await enter(a.room);
    const say = async (...texts: string[]) => {
      for (const text of texts) one.say(text);
      await until(() => textsOf(one).includes(texts.at(-1)!), "the line");
    };
    const away = async () => {
      await nats.stop();
      await a.until("down");
    };
    const back = async () => {
      await nats.again();
      await a.until("up");
    };
    await say("1", "2");
    await away();
    cpSync(kept, backup, { recursive: true });
    await back();
    await say("3", "4");
    await away();
    rmSync(kept, { recursive: true });
    cpSync(backup, kept, { recursive: true });
    await back();
    await say("5");
    const last = one.heard.filter(({ type }) => type === "gap" || type === "said").slice(-3);
    assert.deepEqual(
      last.map((
        message,
      ) => [message.type, (message as { position?: ChatPosition }).position?.offset]),
      [["said", 4], ["gap", 2], ["said", 3]],
    );
    assert.deepEqual(textsOf(one), ["1", "2", "3", "4", "5"]);

    // What is no line takes a number, and is no gap.
    const other = await connect({ servers: nats.url, reconnect: false });
    await using _other = { [Symbol.asyncDispose]: () => other.close() };
    for (const text of ["no JSON", "{}"]) {
      await other.request("plainsocket.chat.test.lines", text);
    }
    await say("6");
    assert.deepEqual(linesOf(one).at(-1)!.position!.offset, 6);
    assert.equal(one.heard.filter(({ type }) => type === "gap").length, 1);

    // A server that keeps less than the stream asks for no more.
    let count = 0;
    const bus = await natsBus({ url: `${nats.url}/test`, history: 2 });
    const end = bus.subscribe({ onMessage: (_message, position) => void (position && count++) });
    await until(() => bus.state === "up", "the bus");
    end();
    await bus.closed;
    assert.equal(count, 2);
  },
  ["nats-server"],
);

test(
  "chat nats: a bus that falls silent is away within 15 s, or once a line is not confirmed for 5 s",
  async () => {
    using waits = await noteWaits();
    await using nats = await Nats.start("--jetstream");
    await using a = await ChatServer.start(nats, 100);
    const { browser: one } = await enter(a.room);
    // Without history only its pings show that it is silent, which takes 15 s: one runtime is enough.
    await using b = runtime === "Deno" ? await ChatServer.start(nats) : undefined;
    await nats.freeze();
    try {
      one.say("is it kept?");
      await hears(one, "not known whether the others got this: is it kept?");
      await hears(one, "out of reach");
      await a.until("down");
      one.say("only here");
      await hears(one, '"only here"');
      await b?.until("down");
      for (const ms of waits.silence) assert.equal(ms, 15_000);
      assert.ok(waits.silence.length >= (b === undefined ? 1 : 2));
      assert.deepEqual(new Set(waits.keeping), new Set([5000]));
    } finally {
      nats.thaw();
    }
    await hears(one, "can be reached again");
    // It had arrived: the stream has it, and nobody hears it twice.
    await hears(one, '"is it kept?"');
    one.say("end");
    await hears(one, '"end"');
    const heard = linesOf(one).map(({ text, position }) => [text, position?.offset]);
    assert.deepEqual(heard, [["only here", undefined], ["is it kept?", 1], ["end", 2]]);
  },
  ["nats-server"],
);

test(
  "chat nats: who says more than the bus takes is held up, and does not end it for the others",
  async () => {
    await using nats = await Nats.start();
    const rooms: [room: ChatRoom, bus: NatsBus][] = [];
    const stop = new AbortController();
    const states: string[] = [];
    for (const _ of [1, 2]) {
      const bus = await natsBus({ url: nats.url, onState: (state) => states.push(state) });
      rooms.push([chatRoom({ bus, signal: stop.signal, maxLine: 4096 }), bus]);
    }
    await using _end = {
      async [Symbol.asyncDispose]() {
        stop.abort();
        await Promise.all(rooms.map(([, bus]) => bus.closed));
      },
    };
    await until(() => states.length === 2, "the bus");
    const [{ browser: one }, { browser: two }] = [
      await enter(rooms[0][0]),
      await enter(rooms[1][0]),
    ];
    // More than the kernel and the server would hold.
    const COUNT = 4000;
    await nats.freeze();
    try {
      for (let i = 0; i < COUNT; i++) one.say(`${i} ${"x".repeat(4000)}`);
      let [before, still] = [0, 0];
      await until(() => {
        const now = one.heard.length;
        still = now > 1 && now === before ? still + 1 : 0;
        before = now;
        return still === 200;
      }, "the one who speaks to be held up");
      assert.ok(linesOf(one).length < COUNT, "Nobody was held up");
    } finally {
      nats.thaw();
    }
    const isLost = () => two.closed !== undefined || states.length > 2;
    await until(() => linesOf(two).length === COUNT || isLost(), "all lines");
    assert.deepEqual([two.closed, states], [undefined, ["up", "up"]]);
    assert.ok(textsOf(two).every((text, i) => text.startsWith(`${i} `)));
  },
  ["nats-server"],
);

test(
  "chat nats: that the bus cannot be used is said with its reason, and local chat goes on",
  async () => {
    await using plain = await Nats.start();
    await using locked = await Nats.start("--user", "me", "--pass", "secret");
    const whyOf = async (url: string, history = 0) => {
      const whys: string[] = [];
      const stop = new AbortController();
      const bus = await natsBus({ url, history, onState: (_state, why) => whys.push(why) });
      const room = chatRoom({ bus, signal: stop.signal });
      const { browser } = await enter(room);
      browser.say("hello");
      await hears(browser, "hello");
      await until(() => whys.length > 0, "a reason");
      stop.abort();
      await bus.closed;
      return whys[0];
    };
    assert.match(
      await whyOf(plain.url, 10),
      /JetStream is off\. Start nats-server with --jetstream/,
    );
    assert.match(await whyOf(locked.url), /Authorization/i);
    assert.equal(await whyOf(locked.url.replace("//", "//me:secret@")), "");
    await plain.stop();
    assert.match(await whyOf(plain.url), /ECONNREFUSED/);
  },
  ["nats-server"],
);

test("chat nats: what does not speak NATS is away, and nothing of it gets onto the console", async () => {
  const printed: unknown[] = [];
  const { log, error } = console;
  console.log = console.error = (...args: unknown[]) => void printed.push(args);
  try {
    for (
      const [text, why] of [
        ["* You are guest1\n", /^what it sends is not NATS$/],
        ['INFO {"version":"2.9.0","tls_required":true}\r\n', /^it requires TLS, which/],
        ["INFO \x1b[2J\r\n", /^what it sends is not NATS$/],
        ["INFO {}\r\n", /^what it sends is not NATS$/],
        [`INFO {${"x".repeat(1024 * 1024)}`, /^what it sends is not NATS$/],
        ['INFO {"version":"2.9.0"}\r\nMSG a b c d e\r\n', /^what it sends is not NATS$/],
        ['INFO {"version":"2.9.0"}\r\n-ERR \'\x1b[2J\'\r\n', /^[\x20-\x7e]+$/],
      ] as const
    ) {
      const listener = await systemTransport.listen({ host: "127.0.0.1" });
      const server = serve(listener, async (conn) => {
        await conn.write(bytes(text));
        await conn.closeWrite();
        await readAll(conn);
      }, { onError: () => {} });
      const whys: string[] = [];
      const stop = new AbortController();
      const bus = await natsBus({
        url: `nats://127.0.0.1:${listener.addr.port}`,
        onState: (_state, why) => whys.push(why),
      });
      chatRoom({ bus, signal: stop.signal });
      await until(() => whys.length > 0, "a reason");
      assert.match(whys[0], why, text);
      stop.abort();
      await bus.closed;
      await server.stop({ drainTimeout: 1 });
    }
  } finally {
    Object.assign(console, { log, error });
  }
  assert.deepEqual(printed, []);
});

test("chat nats: a room that was stopped before it began ends its bus at once", async () => {
  // Nobody answers there: TEST-NET-1.
  const bus = await natsBus({ url: "nats://192.0.2.1" });
  chatRoom({ bus, signal: AbortSignal.abort() });
  await bus.closed;
  const other = await natsBus({ url: "nats://192.0.2.1" });
  const stop = new AbortController();
  chatRoom({ bus: other, signal: stop.signal });
  stop.abort();
  await other.closed;
});

test("chat nats: a room that is stopped while a server that says nothing is waited for ends at once", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const bus = await natsBus({ url: `nats://127.0.0.1:${listener.addr.port}` });
  const stop = new AbortController();
  chatRoom({ bus, signal: stop.signal });
  using conn = await listener.accept();
  // It is connected, and waits for the INFO of the server, 5 s at most.
  await conn.write(bytes("PING\r\n"));
  assert.equal(await readText(conn, 6), "PONG\r\n");
  const since = performance.now();
  stop.abort();
  await bus.closed;
  assert.ok(performance.now() - since < 4000);
  // Its connection is over, too: closed or reset, by the runtime.
  assert.equal(await conn.read(new Uint8Array(1)).catch(() => null), null);
});

test("chat nats: a URL is taken apart, and one that is not valid is refused", async () => {
  const { server, user, pass, token, lines } = natsPlace("nats://me:a%40b@[::1]:80/Room_1");
  assert.deepEqual([server, user, pass, token], ["[::1]:80", "me", "a@b", undefined]);
  assert.equal(lines, "plainsocket.chat.Room_1.lines");
  assert.equal(natsPlace("nats://t0k3n@example.org").token, "t0k3n");
  assert.equal(natsPlace("NATS://example.org/").server, "example.org:4222");
  for (
    const url of [
      "",
      "nats:",
      "nats://",
      "http://a",
      "nats://a/b/c",
      "nats://a/b.c",
      "nats://a?b",
      "nats://a:%zz@b",
    ]
  ) {
    await assert.rejects(natsBus({ url }), RangeError, url);
  }
});

test(
  "chat nats: a stream whose last line was deleted is followed all the same",
  async () => {
    await using nats = await Nats.start("--jetstream");
    const operator = await connect({ servers: nats.url, reconnect: false });
    try {
      const { stream, lines } = natsPlace(`${nats.url}/test`);
      const { streams } = await jetstreamManager(operator);
      await streams.add({ name: stream, subjects: [lines], max_msgs: 100 });
      const said = { type: "said", server: "other", member: 1, name: "Ada" };
      for (const number of [1, 2, 3]) {
        await operator.request(lines, JSON.stringify({ ...said, number, text: `${number}` }));
      }
      await streams.deleteMessage(stream, 3);
      await using server = await ChatServer.start(nats, 100);
      const { browser } = await enter(server.room);
      browser.say("hello");
      await hears(browser, '"offset":4');
    } finally {
      await operator.close();
    }
  },
  ["nats-server"],
);
