/**
 * Takes the header of one connection, and gives the connection the addresses that it names.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import type { Clock } from "../base/clock.ts";
import { abortError, SocketError } from "../base/errors.ts";
import { Deadline, orAborted } from "../base/wait.ts";
import { type Received, Rest } from "../net/rest_of_conn.ts";
import type { Conn } from "../net/transport.ts";
import { ProxyHeaderError } from "./error.ts";
import type { ParsedProxyHeader, ProxyHeader } from "./header.ts";
import { parseProxyHeader } from "./parse.ts";
import { MAX_HEADER } from "./parse_v2.ts";

/** Most headers are whole with the first read: this is the smallest segment that TCP has to carry. */
const FIRST_SIZE = 536;

/** Limits of the wait for a header. */
export interface HeaderLimits {
  /** Gives up when aborted. */
  readonly signal: AbortSignal;
  /** The time for the header, in milliseconds; 0 for no limit. */
  readonly timeout: number;
  readonly clock: Clock;
}

/**
 * Takes the header. The connection that it returns begins after it. Rejects with a
 * {@linkcode SocketError}, and closes the connection: EPROTO, ETIMEDOUT, ECONNRESET, or the reason of
 * the signal.
 */
export async function acceptHeader(conn: Conn, limits: HeaderLimits): Promise<Conn> {
  const { remoteAddr: addr } = conn;
  using deadline = new Deadline(
    limits,
    (reason) => abortError("acceptProxy", addr, { reason }),
  );
  try {
    const { header, length, chunk, to } = await readHeader(conn, deadline.signal);
    return new Rest(conn, new Behind(chunk, length, to), endsOf(conn, header));
  } catch (error) {
    const failure = failureOf(error, addr);
    conn.reset(failure);
    throw failure;
  }
}

const NOTHING = new Uint8Array(0);

/** The bytes that have come after a header. */
class Behind implements Received {
  chunk: Uint8Array;
  from: number;
  readonly to: number;

  constructor(chunk: Uint8Array, from: number, to: number) {
    this.chunk = chunk;
    this.from = from;
    this.to = to;
    if (this.drained) this.release();
  }

  get waiting(): number {
    return this.to - this.from;
  }

  get drained(): boolean {
    return this.waiting === 0;
  }

  /** Nothing is being received. */
  fill(): Promise<boolean> {
    return Promise.resolve(false);
  }

  release(): void {
    this.from = this.to;
    this.chunk = NOTHING;
  }
}

/** A header, and the bytes up to `to` that it has come with. */
interface ReadHeader extends ParsedProxyHeader {
  readonly chunk: Uint8Array;
  readonly to: number;
}

async function readHeader(conn: Conn, signal: AbortSignal): Promise<ReadHeader> {
  const { remoteAddr: addr } = conn;
  let chunk = new Uint8Array(FIRST_SIZE);
  for (let to = 0;;) {
    const n = await orAborted(conn.read(chunk.subarray(to)), signal, "acceptProxy", addr);
    if (n === null) {
      const why = `the connection ended ${to === 0 ? "before" : "within"} the header`;
      throw new SocketError("ECONNRESET", "acceptProxy", { addr, why });
    }
    to += n;
    const parsed = parseProxyHeader(chunk.subarray(0, to));
    if (parsed !== undefined) return { ...parsed, chunk, to };
    if (to < chunk.length) continue;
    const more = new Uint8Array(MAX_HEADER);
    more.set(chunk);
    chunk = more;
  }
}

function failureOf(error: unknown, addr: Addr): SocketError {
  if (error instanceof ProxyHeaderError) {
    return new SocketError("EPROTO", "acceptProxy", { addr, why: error.message, cause: error });
  }
  const { code } = error as SocketError;
  // A read that failed is about the header, too.
  return (error as SocketError).op === "read"
    ? new SocketError(code, "acceptProxy", { addr, cause: error })
    : error as SocketError;
}

/** The addresses of the client, if the header names one that has an IP address. */
function endsOf(
  conn: Conn,
  { source, destination }: ProxyHeader,
): { readonly localAddr: Addr; readonly remoteAddr: Addr } {
  if (source?.transport !== "tcp") return conn;
  return { localAddr: destination!, remoteAddr: { ...source, via: conn.remoteAddr } };
}
