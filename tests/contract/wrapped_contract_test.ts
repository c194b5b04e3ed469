// What wraps a transport, and breaks nothing, keeps the contract.

import { type Clock, nextTurn, pendingTurns } from "../../lib/base/clock.ts";
import { TimerQueue } from "../../lib/base/timer_queue.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { faulty } from "../../lib/faults/faulty.ts";
import { observe } from "../../lib/observe/observe.ts";
import { record } from "../../lib/recording/record.ts";
import { acceptProxyProtocol, proxyHeader } from "../../lib/proxy_protocol/mod.ts";
import { MemoryTransport, type ResettingPeer, testTransport } from "../../lib/testing/mod.ts";
import type { Conn, ConnectOptions, Transport } from "../../lib/net/transport.ts";
import { bytes, until } from "../support/helpers.ts";
import { MEMORY_UNREAD } from "./networks.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** A clock on which the next timer rings as soon as all that is ready to run has run. */
class SwiftClock implements Clock {
  readonly #timers = new TimerQueue();
  #now = 0;
  #ringing = false;

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fn: () => void): () => void {
    const cancel = this.#timers.set(this.#now + ms, fn);
    void this.#ring();
    return cancel;
  }

  /** Whether no timer is under way. */
  get isAtRest(): boolean {
    return !this.#ringing;
  }

  async #ring(): Promise<void> {
    if (this.#ringing) return;
    this.#ringing = true;
    for (await nextTurn(); this.#timers.next < Infinity; await nextTurn()) {
      this.#now = this.#timers.next;
      this.#timers.take()!();
    }
    this.#ringing = false;
  }
}

/** Behind a proxy that says that it does not know its clients, so that the addresses stay. */
function behindProxy(inner: Transport): Transport {
  // No header is late: it comes with the first bytes.
  const clock = new VirtualClock();
  const behind = acceptProxyProtocol(inner, { trusted: ["0.0.0.0/0", "::/0", "unix"], clock });
  const header = proxyHeader({ version: 2 });
  const connect = async (options: ConnectOptions) => {
    const conn = await inner.connect(options);
    await conn.write(header);
    // As the client of the proxy has it, who does not write the header.
    return new Proxy(conn, {
      get(conn, name: keyof Conn) {
        if (name === "bytesWritten") return conn.bytesWritten - header.length;
        const value = conn[name];
        return typeof value === "function" ? value.bind(conn) : value;
      },
    });
  };
  return { ...behind, connect: connect as Transport["connect"] };
}

/** The wrappers; the faults are those that lose nothing. */
const WRAPPED: Readonly<Record<string, (inner: Transport, clock: Clock) => Transport>> = {
  "observed": (inner) => observe(inner, () => {}),
  "recorded": (inner) => record(inner, () => {}),
  "without faults": (inner, clock) => faulty(inner, "", { clock }),
  "live, without faults": (inner, clock) => faulty(inner, "", { clock, live: true }),
  "delayed": (inner, clock) => faulty(inner, "delay=2ms±1", { clock }),
  "split": (inner, clock) => faulty(inner, "split=1000", { clock }),
  "behind a proxy": behindProxy,
  "delayed and split": (inner, clock) => faulty(inner, "delay=1ms, split=4000", { clock }),
};

/** On Deno only. Elsewhere, where the JavaScript is the same, other tests do what they do. */
const ON_DENO: readonly string[] = ["without faults", "behind a proxy", "delayed", "split"];

/** A connection of `transport` whose peer, which resets it, is not wrapped. */
async function resetting(inner: Transport, transport: Transport): Promise<ResettingPeer> {
  const listener = await inner.listen({ host: "127.0.0.1" });
  const conns: Conn[] = [];
  let peer: Conn;
  const again = async () => {
    const connecting = transport.connect(listener.addr);
    const [conn, accepted] = await Promise.all([connecting, listener.accept()]);
    conns.push(conn);
    peer = accepted;
    return conn;
  };
  return {
    conn: await again(),
    again,
    reset: async (data) => {
      await peer.write(bytes(data));
      peer.reset();
    },
    [Symbol.asyncDispose]: () => {
      for (const conn of conns) conn.close();
      listener.close();
      return Promise.resolve();
    },
  };
}

for (const [name, wrap] of Object.entries(WRAPPED)) {
  if (runtime !== "Deno" && ON_DENO.includes(name)) continue;
  const clock = new SwiftClock();
  const inner = new MemoryTransport();
  const transport = wrap(inner, clock);
  testTransport({
    transport,
    name: `memory, ${name}`,
    streams: { resetting: () => resetting(inner, transport), mostUnread: MEMORY_UNREAD },
    // Whose datagrams are sent later is told of no errors.
    datagrams: name.startsWith("delayed") ? false : {},
    test: (title, run) =>
      test(title, async () => {
        await run();
        // What was written before close() is still on its way, and so is the end behind it.
        for (let turns = 0; turns < 10; turns++) {
          await nextTurn();
          await until(() => clock.isAtRest && pendingTurns() === 0, "all timers have rung");
        }
      }),
  });
}
