// Many connections for long: most of them idle, some that send all the time, and others that come and
// go. Each byte that comes back is compared with what was sent.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { until } from "../support/helpers.ts";
import { connect, startSubject, type Subject } from "./subject.ts";

/** What a server has to bear. */
export interface Load {
  /** Connections that say something at the beginning and at the end. */
  readonly idle: number;
  /** Connections that send again and again. */
  readonly active: number;
  /** Connections that are opened, used once and closed, spread over the time. */
  readonly opened: number;
  readonly seconds: number;
  /** The time between two messages of an active connection, in milliseconds. */
  readonly pause: number;
  /** Before the time and at its end nothing is sent for so many milliseconds. */
  readonly quiet: number;
}

/** How it went. Times are in milliseconds. */
export interface Soaked {
  readonly messages: number;
  readonly opened: number;
  /** From the start of a message to the end of its echo. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** From connecting to the end of the echo, of a connection that is used once. */
  readonly openedP99: number;
}

/** So many connections are opened, or come and go, at once. */
const AT_ONCE = 32;

const MOST_BYTES = 16 * 1024;
const SOURCE: Buffer = randomBytes(1 << 20);

/** Sends a message that no other connection sends, of a size that varies, and takes its echo. */
async function exchange(conn: Conn, id: number, turn: number, buffer: Uint8Array): Promise<void> {
  const place = (id * 7919 + turn * 104_729) % (SOURCE.length - MOST_BYTES);
  // Most are small.
  const size = turn % 16 === 15 ? MOST_BYTES : 16 + (id + turn) % 500;
  const message = SOURCE.subarray(place, place + size);
  const sending = conn.write(message);
  let length = 0;
  while (length < size) {
    const n = await conn.read(buffer.subarray(length, size));
    if (n === null) throw new Error("The server has closed a connection");
    length += n;
  }
  await sending;
  assert.equal(message.compare(buffer, 0, size), 0, "A wrong byte came back");
}

/** Does something with each number below `total`, so many at once, and not before its time. */
async function each(
  total: number,
  fn: (i: number) => Promise<void>,
  spreadMs = 0,
): Promise<void> {
  const start = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, total) }, async () => {
    for (let i; (i = next++) < total;) {
      const early = start + i / total * spreadMs - performance.now();
      if (early > 0) await sleep(early, systemClock);
      await fn(i);
    }
  }));
}

function timesOf(times: number[]): (part: number) => number {
  times.sort((a, b) => a - b);
  return (part) => times[Math.min(times.length - 1, Math.floor(part * times.length))] ?? NaN;
}

/**
 * Puts an echo server under load; rejects if a connection fails or a byte is wrong. `onQuiet` is called
 * while all connections are open and nothing is sent: before the load, and behind it.
 */
async function press(
  server: { readonly port: number },
  { idle, active, opened, seconds, pause, quiet }: Load,
  onQuiet: () => void,
): Promise<Soaked> {
  const conns: Conn[] = [];
  const greet = async (i: number, turn: number) =>
    await exchange(conns[i], i, turn, new Uint8Array(MOST_BYTES));
  try {
    await each(idle + active, async (i) => {
      conns[i] = await connect(server);
      await greet(i, 0);
    });
    const [times, openedTimes]: number[][] = [[], []];
    const talk = async (i: number, end: number) => {
      const buffer = new Uint8Array(MOST_BYTES);
      // Not all at the same time.
      await sleep(pause * (i - idle) / active, systemClock);
      for (let turn = 1; performance.now() < end; turn++) {
        const start = performance.now();
        await exchange(conns[i], i, turn, buffer);
        const took = performance.now() - start;
        times.push(took);
        if (took < pause) await sleep(pause - took, systemClock);
      }
    };
    const visit = async (i: number) => {
      const start = performance.now();
      using conn = await connect(server);
      await exchange(conn, idle + active + i, 0, new Uint8Array(MOST_BYTES));
      openedTimes.push(performance.now() - start);
    };
    await sleep(quiet, systemClock);
    onQuiet();
    const end = performance.now() + 1000 * seconds;
    await Promise.all([
      ...Array.from({ length: active }, (_, i) => talk(idle + i, end)),
      each(opened, visit, 1000 * seconds),
    ]);
    await sleep(quiet, systemClock);
    onQuiet();
    await each(idle, (i) => greet(i, 1));
    const [of, openedOf] = [timesOf(times), timesOf(openedTimes)];
    return {
      messages: times.length,
      opened: openedTimes.length,
      ...{ p50: of(0.5), p99: of(0.99), worst: of(1), openedP99: openedOf(0.99) },
    };
  } finally {
    for (const conn of conns) conn?.close();
  }
}

/**
 * Puts an echo server under load, and returns how it went. It has as many descriptors open in the end
 * as before, and exits with 0. `onQuiet` is called with its process twice: all connections are open then,
 * and nothing is sent.
 */
export async function soak(
  subject: Subject,
  load: Load,
  onQuiet: (pid: number) => void = () => {},
): Promise<Soaked> {
  const limits = ["--max-connections", "100000", "--idle-timeout", "7200"];
  const args = ["echo", "--host", "127.0.0.1", "-q", ...limits];
  await using server = await startSubject(subject, args);
  const { pid } = server.program;
  const descriptors = () => readdirSync(`/proc/${pid}/fd`).length;
  // What the runtime opens when it is first used.
  const little = { idle: 1, active: 1, opened: 1, seconds: 0, pause: 0, quiet: 0 };
  await press(server, little, () => {});
  const before = descriptors();
  const soaked = await press(server, load, () => onQuiet(pid));
  await until(() => descriptors() <= before, `no more than ${before} descriptors, as before`);
  const { code, stderr } = await server.program.stop();
  assert.deepEqual([code, stderr], [0, ""]);
  return soaked;
}
