// The situations of docs/semantics.md, each as a scenario that says what was seen. The document is
// the expectation: a test compares its cells with what these return.

import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { deferred } from "../../lib/base/wait.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { serve } from "../../lib/serve/serve.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, Transport } from "../../lib/net/transport.ts";
import { bytes, OWN_HOST, pair, readAll, readExactly, turn, until } from "../support/helpers.ts";
import type { ResettingPeer, UnansweredPeer } from "../../lib/testing/stream_suite.ts";

/** What a scenario needs. */
export interface Situation {
  readonly transport: Transport;
  readonly resetting: () => Promise<ResettingPeer>;
  readonly unanswered: () => Promise<UnansweredPeer>;
  /** Connects to a listener and resets; the listener has had no turn to accept when it returns. */
  readonly comeAndReset: (addr: TcpAddr) => Promise<void> | void;
  /** Whether who connects there is kept waiting since the backlog is full; asked a turn later. */
  readonly keepsWaiting: (addr: TcpAddr, backlog: number) => boolean;
}

type Scenario = (situation: Situation) => Promise<string>;

/** In words: the code it rejects with, or what `words` make of the value it resolves to. */
async function see<T>(promise: Promise<T>, words: (value: T) => string): Promise<string> {
  try {
    return words(await promise);
  } catch (error) {
    if (error instanceof SocketError) return `\`${error.code}\``;
    throw error;
  }
}

function seeRead(conn: Conn): Promise<string> {
  const p = new Uint8Array(64);
  return see(
    conn.read(p),
    (n) => n === null ? "`null`" : new TextDecoder().decode(p.subarray(0, n)),
  );
}

function seeWrite(conn: Conn): Promise<string> {
  return see(conn.write(bytes("x")), () => "done");
}

/** Writes until that fails. */
function seeWrites(conn: Conn): Promise<string> {
  const writing = (async () => {
    for (;;) await conn.write(new Uint8Array(64 * 1024));
  })();
  return see(writing, () => "done");
}

/** The scenarios by the first cell of their row. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  async "the peer half-closes; `read`"({ transport }) {
    using ends = await pair(transport);
    await ends.server.write(bytes("bye"));
    await ends.server.closeWrite();
    const [first, second, third] = [
      await seeRead(ends.client),
      await seeRead(ends.client),
      await seeRead(ends.client),
    ];
    return `${first === "bye" ? "what was sent" : first}, then ${second}, then ${third}`;
  },

  async "the peer half-closed; `write`"({ transport }) {
    using ends = await pair(transport);
    await ends.server.closeWrite();
    await seeRead(ends.client);
    await ends.client.write(bytes("hello"));
    return await seeRead(ends.server) === "hello" ? "arrives" : "is lost";
  },

  async "we half-closed; `read`"({ transport }) {
    using ends = await pair(transport);
    await ends.client.closeWrite();
    await ends.server.write(bytes("hello"));
    return await seeRead(ends.client) === "hello" ? "goes on" : "is lost";
  },

  async "we half-closed; `write`"({ transport }) {
    using ends = await pair(transport);
    await ends.client.closeWrite();
    return await seeWrite(ends.client);
  },

  async "the peer resets; `read`"({ resetting }) {
    await using peer = await resetting();
    peer.reset("bye");
    const [first, second, third] = [
      await seeRead(peer.conn),
      await seeRead(peer.conn),
      await seeRead(peer.conn),
    ];
    return `${first === "bye" ? "what was sent" : first}, then ${second}, then ${third}`;
  },

  async "the peer has reset before `accept`"({ transport, comeAndReset }) {
    using listener = await transport.listen({ host: "127.0.0.1" });
    await comeAndReset(listener.addr);
    using next = await transport.connect(listener.addr);
    await next.write(bytes("next"));
    using first = await listener.accept();
    const seen = await seeRead(first);
    return seen === "next" ? "accepts the next one" : `accepts it; \`read\` is ${seen}`;
  },

  async "the peer reset; `write`"({ resetting }) {
    await using peer = await resetting();
    const reading = seeRead(peer.conn);
    peer.reset("");
    await reading;
    return await seeWrite(peer.conn);
  },

  async "the peer closed; `write` again and again"({ transport }) {
    using ends = await pair(transport);
    ends.server.close();
    await seeRead(ends.client);
    return await seeWrites(ends.client);
  },

  async "the peer does not read; `write`"({ transport }) {
    using ends = await pair(transport);
    const size = 32 * 1024 * 1024;
    let waits = true;
    const writing = ends.client.write(new Uint8Array(size)).then(() => waits = false);
    await until(() => ends.client.bytesWritten > 0, "a part to be written");
    const waited = waits;
    await readExactly(ends.server, size);
    await writing;
    return waited ? "waits, and goes on when it reads" : "does not wait";
  },

  async "a second `write` behind one that waits"({ transport }) {
    using ends = await pair(transport);
    const data = new Uint8Array(32 * 1024 * 1024);
    const writes = [ends.client.write(data), ends.client.write(bytes("behind"))];
    await readExactly(ends.server, data.length);
    const seen = await seeRead(ends.server);
    await Promise.all(writes);
    return seen === "behind" ? "is sent behind it" : seen;
  },

  async "`closeWrite` behind a `write` that waits"({ transport }) {
    using ends = await pair(transport);
    const data = new Uint8Array(32 * 1024 * 1024);
    const writing = Promise.all([ends.client.write(data), ends.client.closeWrite()]);
    await readExactly(ends.server, data.length);
    const seen = await seeRead(ends.server);
    await writing;
    return seen === "`null`" ? "FIN behind it" : seen;
  },

  async "a second `read` while one waits"({ transport }) {
    using ends = await pair(transport);
    const first = ends.client.read(new Uint8Array(8));
    const second = await seeRead(ends.client);
    await ends.server.write(bytes("x"));
    await first;
    return second;
  },

  async "`close()` behind a `write`; the peer's `read`"({ transport }) {
    using ends = await pair(transport);
    await ends.client.write(new Uint8Array(50_000));
    ends.client.close();
    return (await readAll(ends.server)).length === 50_000 ? "all, then `null`" : "not all";
  },

  async "`close()` with bytes unread; the peer's `read`"({ transport }) {
    using ends = await pair(transport);
    await ends.client.write(bytes("unread"));
    await readExactly(ends.server, 1);
    ends.server.close();
    return await seeRead(ends.client);
  },

  async "`reset()`; the peer's `read`"({ transport }) {
    using ends = await pair(transport);
    ends.server.reset();
    return await seeRead(ends.client);
  },

  async "`close()`; our pending `read`, `write` and `accept`"({ transport }) {
    using ends = await pair(transport);
    const pending = [
      seeRead(ends.client),
      seeWrites(ends.client),
      see(ends.listener.accept(), () => "accepted"),
    ];
    await until(() => ends.client.bytesWritten > 0, "a part to be written");
    ends.client.close();
    ends.listener.close();
    return [...new Set(await Promise.all(pending))].join(", ");
  },

  async "`connect` where nobody listens"({ transport }) {
    const listener = await transport.listen({ host: OWN_HOST });
    listener.close();
    return await see(transport.connect(listener.addr), () => "connected");
  },

  async "`connect`, aborted before and while it waits"({ transport, unanswered }) {
    await using silence = await unanswered();
    const before = transport.connect({ ...silence.endpoint, signal: AbortSignal.abort() });
    const controller = new AbortController();
    const { signal } = controller;
    const during = transport.connect({ ...silence.endpoint, signal });
    controller.abort();
    const seen = await Promise.all([before, during].map((each) => see(each, () => "connected")));
    return [...new Set(seen)].join(", ");
  },

  async "`connect`, its signal a timeout that passes"({ transport, unanswered }) {
    await using silence = await unanswered();
    const controller = new AbortController();
    const connecting = transport.connect({ ...silence.endpoint, signal: controller.signal });
    controller.abort(new DOMException("late", "TimeoutError"));
    return await see(connecting, () => "connected");
  },

  async "`connect`, aborted after it is made"({ transport }) {
    using listener = await transport.listen({ host: "127.0.0.1" });
    const controller = new AbortController();
    using client = await transport.connect({ ...listener.addr, signal: controller.signal });
    controller.abort();
    using server = await listener.accept();
    await client.write(bytes("hello"));
    return await seeRead(server) === "hello" ? "lives on" : "is lost";
  },

  async "more than the backlog connect"({ transport, keepsWaiting }) {
    using listener = await transport.listen({ host: "127.0.0.1", backlog: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const conns: Conn[] = [];
    let seen = "connected";
    // Linux lets one more in than asked for, and Node two; the tenth is too many for all of them.
    while (seen === "connected" && conns.length < 10) {
      let answered = false;
      const connecting = see(
        transport.connect({ ...listener.addr, signal }),
        (conn) => (conns.push(conn), "connected"),
      ).finally(() => answered = true);
      await turn();
      const kept = () => keepsWaiting(listener.addr, 1);
      await until(() => answered || kept(), "an answer, or to be kept waiting");
      if (!answered) controller.abort();
      seen = await connecting;
    }
    if (seen === "connected") seen = await seeRead(conns[9]);
    for (const conn of conns) conn.close();
    return seen === "`ECANCELED`" ? "`connect` waits" : seen;
  },

  async "the listener closes; who was not accepted yet"({ transport }) {
    const listener = await transport.listen({ host: "127.0.0.1" });
    using client = await transport.connect(listener.addr);
    listener.close();
    return `reads ${await seeRead(client)}`;
  },

  async "the listener stops; who was not accepted yet"({ transport }) {
    using listener = await transport.listen({ host: "127.0.0.1" });
    using client = await transport.connect(listener.addr);
    // Node takes a connection when it hears of it.
    await turn();
    await turn();
    listener.stop();
    for await (const conn of listener) {
      conn.close();
      return "is accepted";
    }
    return `reads ${await seeRead(client)}`;
  },

  async "the listener closes; its connections"({ transport }) {
    using ends = await pair(transport);
    ends.listener.close();
    await ends.client.write(bytes("hello"));
    return await seeRead(ends.server) === "hello" ? "live on" : "are lost";
  },

  async "`serve` is stopped; a connection under way"({ transport }) {
    const listener = await transport.listen({ host: "127.0.0.1" });
    const stop = new AbortController();
    const served = serve(listener, echo(), { signal: stop.signal }).finished;
    using client = await transport.connect(listener.addr);
    await client.write(bytes("one"));
    await readExactly(client, 3);
    stop.abort();
    await client.write(bytes("two"));
    await client.closeWrite();
    const [heard] = await Promise.all([readAll(client), served]);
    return new TextDecoder().decode(heard) === "two" ? "finishes" : "is cut";
  },

  async "`serve` is stopped; a silent one, after the drain timeout"({ transport }) {
    const listener = await transport.listen({ host: "127.0.0.1" });
    const stop = new AbortController();
    const clock = new VirtualClock();
    const served = serve(listener, echo(), { signal: stop.signal, clock }).finished;
    using client = await transport.connect(listener.addr);
    await client.write(bytes("x"));
    await readExactly(client, 1);
    stop.abort();
    await clock.advance(10_000);
    await served;
    return `reads ${await seeRead(client)}`;
  },

  async "`serve`'s idle timeout passes"({ transport }) {
    const listener = await transport.listen({ host: "127.0.0.1" });
    const clock = new VirtualClock();
    const told = deferred<unknown>();
    const served = serve(listener, echo(), {
      clock,
      idleTimeout: 4000,
      onError: (error) => told.resolve(error),
    }).finished;
    using client = await transport.connect(listener.addr);
    await client.write(bytes("x"));
    await readExactly(client, 1);
    for (let i = 0; i < 6; i++) await clock.advance(1000);
    const error = await told.promise as SocketError;
    const peer = await seeRead(client);
    listener.close();
    await served;
    return `the handler gets \`${error.code}\`, the client ${peer}`;
  },

  async "`serve` is at `maxConnections`; the next one"({ transport }) {
    const listener = await transport.listen({ host: "127.0.0.1" });
    const served = serve(listener, echo(), { maxConnections: 1 }).finished;
    using first = await transport.connect(listener.addr);
    await first.write(bytes("x"));
    await readExactly(first, 1);
    using second = await transport.connect(listener.addr);
    await second.write(bytes("y"));
    let answered = false;
    const answer = readExactly(second, 1).then(() => answered = true);
    await first.write(bytes("z"));
    await readExactly(first, 1);
    const waited = !answered;
    first.close();
    await answer;
    second.close();
    listener.close();
    await served;
    return waited ? "waits for its turn" : "is served at once";
  },

  async "UDP on any address of a host with several; its answer"({ transport }) {
    using server = await transport.listenDatagram({ host: "0.0.0.0" });
    using client = await transport.listenDatagram({ host: "127.0.0.1" });
    const p = new Uint8Array(8);
    await client.send(bytes("x"), { host: OWN_HOST, port: server.addr.port });
    await server.send(bytes("y"), (await server.receive(p)).from);
    const { from } = await client.receive(p);
    return from.host === OWN_HOST ? "comes from the one asked" : "may come from another one";
  },
};

/** Those whose peer, where the sockets are the system's, is a program in Python. */
export const NEEDS_PEER: ReadonlySet<string> = new Set([
  "the peer resets; `read`",
  "the peer has reset before `accept`",
  "the peer reset; `write`",
  "`connect`, aborted before and while it waits",
  "`connect`, its signal a timeout that passes",
]);
