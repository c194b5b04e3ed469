/**
 * `--on-miss record`: connections that are added to a recording.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import type { Clock } from "../../../base/clock.ts";
import type { Conn, Transport } from "../../../net/transport.ts";
import type { SocketEvent } from "../../../observe/events.ts";
import { observe } from "../../../observe/observe.ts";
import { socketOf } from "../../../observe/observed_sockets.ts";
import type { Recording, RecordingHead } from "../../../recording/format.ts";
import { recordingSink } from "../../../recording/record.ts";
import { writeError } from "../../io/files.ts";
import type { Log } from "../../io/log.ts";

/** The most bytes of data of one connection that are kept until it has ended. */
const MAX_KEPT = 64 * 1024 * 1024;

/** One connection while it goes on. */
interface Tape {
  readonly events: SocketEvent[];
  bytes: number;
  /** Whether it goes into the recording. */
  added: boolean;
}

/** See the module. */
export class Addition {
  readonly #path: string;
  readonly #head: RecordingHead;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #tapes = new Map<number, Tape>();
  /** The highest number of a socket in the file. */
  #sockets: number;

  constructor(path: string, { head, events }: Recording, log: Log, clock: Clock) {
    this.#path = path;
    this.#head = head;
    this.#log = log;
    this.#clock = clock;
    this.#sockets = events.reduce(
      (most, event) => Math.max(most, "socket" in event ? event.socket ?? 0 : 0),
      0,
    );
  }

  /** The same transport, whose accepted connections may be added. */
  watch(transport: Transport): Transport {
    return observe(transport, (event) => this.#take(event), this.#clock);
  }

  /** Has a connection added when it has ended. */
  add(conn: Conn): void {
    const tape = this.#tapes.get(socketOf(conn) ?? 0);
    if (tape !== undefined) tape.added = true;
  }

  #take(event: SocketEvent): void {
    const { type } = event;
    if (type === "resolve" || event.socket === undefined) return;
    if (type === "accept") this.#tapes.set(event.socket, { events: [], bytes: 0, added: false });
    const tape = this.#tapes.get(event.socket);
    if (tape === undefined) return;
    if (type === "recv" || type === "send") tape.bytes += event.data.length;
    if (tape.bytes <= MAX_KEPT) tape.events.push(event);
    else tape.events.length = 0;
    if (type !== "close") return;
    this.#tapes.delete(event.socket);
    if (tape.added) this.#write(tape);
  }

  #write({ events, bytes }: Tape): void {
    if (bytes > MAX_KEPT) {
      return this.#log.error(
        `A connection of ${bytes} bytes was not added to '${this.#path}': the most is ${MAX_KEPT}.`,
      );
    }
    try {
      addLines(this.#path, this.#linesOf(events));
      this.#log.note(`added a connection to '${this.#path}'`);
    } catch (error) {
      this.#log.error(writeError(this.#path, error).message);
    }
  }

  /** The events of one connection, as the file has them: under a number that no other one has. */
  #linesOf(events: readonly SocketEvent[]): string {
    const socket = ++this.#sockets;
    // Their time is that since the first recording began.
    const since = Math.max(0, Date.now() - Date.parse(this.#head.started));
    const zero = this.#clock.now() - since;
    const clock: Clock = { now: () => zero, setTimer: () => () => {} };
    const lines: string[] = [];
    const { redaction } = this.#head;
    const sink = recordingSink((text) => lines.push(text), { redaction, clock });
    for (const event of events) sink({ ...event, socket } as SocketEvent);
    // Without the first line, which the file has.
    return lines.slice(1).join("");
  }
}

/** Adds whole lines to a file. It has the old text, or all of the new one, whatever happens. */
function addLines(path: string, lines: string): void {
  const file = realpathSync(path);
  const parts = [wholeLines(readFileSync(file)), Buffer.from(lines)];
  const temporary = `${file}.${randomBytes(6).toString("hex")}.new`;
  const fd = openSync(temporary, "wx", 0o600);
  try {
    try {
      fchmodSync(fd, statSync(file).mode & 0o777);
      for (const part of parts) {
        for (let at = 0; at < part.length;) at += writeSync(fd, part, at);
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A recording up to the end of a line: what has broken off after it is left out. */
function wholeLines(text: Buffer): Buffer {
  const end = text.lastIndexOf(10) + 1;
  if (end === text.length) return text;
  try {
    JSON.parse(text.toString("utf8", end));
    return Buffer.concat([text, Buffer.from("\n")]);
  } catch {
    return text.subarray(0, end);
  }
}
