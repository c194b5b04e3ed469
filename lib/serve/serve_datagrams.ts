/**
 * The server's side of a socket for datagrams: receive, answer, and stop in good order.
 *
 * @module
 */

import type { Admission } from "../net/admission.ts";
import { formatAddr } from "../base/addr.ts";
import {
  ADMISSION,
  checkArgument,
  checkOptions,
  DATAGRAM,
  FUNCTION,
  HANDLER,
  type Kinds,
  SIGNAL,
} from "../base/arguments.ts";
import { ExhaustionBackoff } from "../base/backoff.ts";
import { sleep, systemClock } from "../base/clock.ts";
import type { UdpAddr } from "../base/addr.ts";
import type { Datagram } from "../net/datagram.ts";
import { SocketError } from "../base/errors.ts";
import { RunningServer, type Server, warn } from "./server.ts";

/**
 * Answers a datagram: what it returns is sent back, and nothing if that is undefined. `data` is the
 * handler's to keep. The next datagram waits for the answer. `to` is the address of the socket:
 * who answers whatever comes must not answer its own port, where its like may be, or two of them
 * never stop.
 */
export type DatagramHandler = (
  data: Uint8Array,
  from: UdpAddr,
  to: UdpAddr,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** Options of {@linkcode serveDatagrams}. */
export interface ServeDatagramsOptions {
  /** Aborting it stops the server, and closes the socket. */
  readonly signal?: AbortSignal;
  /**
   * Decides whose datagrams the handler gets; the others are dropped. Where a datagram comes from is
   * easily forged. Default: everyone's.
   */
  readonly admission?: Admission;
  /**
   * Called with the error of a handler, or of an answer that could not be sent. By default a
   * SocketError is ignored, and anything else becomes a process warning with its stack and the
   * peer's address, since it is a mistake in the handler.
   */
  readonly onError?: (error: unknown, from: UdpAddr) => void;
}

/** The summary of {@linkcode serveDatagrams}. */
export interface DatagramSummary {
  /** The number of datagrams that were received. */
  readonly received: number;
  /** The number of datagrams that were answered. */
  readonly answered: number;
  /**
   * The number of datagrams that came too fast and were dropped: see {@linkcode Datagram.dropped}.
   */
  readonly dropped: number;
}

const OPTIONS: Kinds<ServeDatagramsOptions> = {
  signal: SIGNAL,
  admission: ADMISSION,
  onError: FUNCTION,
};

/** More than any datagram has. */
const LARGEST = 65_535;

/**
 * Answers datagrams, one after the other, until it is stopped, `signal` is aborted or the socket is
 * closed. Then it closes the socket at once: there is nothing to drain. What comes meanwhile waits in the socket, up to its bound, so a
 * slow handler costs datagrams and no memory.
 *
 * {@linkcode Server.finished} rejects with a {@linkcode SocketError} if receiving fails for good, and with the reason if the socket
 * was closed with one. Running out of buffers or memory is waited out, 5 ms at first and a second at
 * most.
 *
 * @example A server that shouts
 * ```ts
 * import { serveDatagrams, systemTransport } from "@plainsocket/plainsocket";
 * import assert from "node:assert/strict";
 *
 * const socket = await systemTransport.listenDatagram({ host: "127.0.0.1" });
 * const server = serveDatagrams(socket, (data) => {
 *   return new TextEncoder().encode(new TextDecoder().decode(data).toUpperCase());
 * });
 *
 * using client = await systemTransport.listenDatagram({ remote: socket.addr });
 * await client.send(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(100);
 * const { size } = await client.receive(buffer);
 * assert.equal(new TextDecoder().decode(buffer.subarray(0, size)), "HELLO");
 *
 * assert.deepEqual(await server.stop(), { received: 1, answered: 1, dropped: 0 });
 * ```
 */
export function serveDatagrams(
  socket: Datagram,
  handler: DatagramHandler,
  options: ServeDatagramsOptions = {},
): Server<DatagramSummary, UdpAddr> {
  checkArgument("serveDatagrams", socket, DATAGRAM);
  checkArgument("serveDatagrams", handler, HANDLER);
  checkOptions("serveDatagrams", options, OPTIONS, "{ signal }");
  const stopping = new AbortController();
  const finished = answerAll(socket, handler, options, stopping);
  return new RunningServer(socket.addr, finished, () => stopping.abort());
}

/** Answers until `stopping` is aborted, which an abort of the options' signal does, too. */
async function answerAll(
  socket: Datagram,
  handler: DatagramHandler,
  { signal, admission, onError = warnOf }: ServeDatagramsOptions,
  stopping: AbortController,
): Promise<DatagramSummary> {
  const buffer = new Uint8Array(LARGEST);
  const backoff = new ExhaustionBackoff();
  let [received, answered] = [0, 0];
  stopping.signal.addEventListener("abort", () => socket.close());
  const stop = () => stopping.abort();
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  try {
    for (;;) {
      const got = await receive(socket, buffer, backoff, stopping.signal);
      if (got === undefined) continue;
      const { size, from } = got;
      received++;
      if (admission?.admit(from) === false) continue;
      try {
        const answer = await handler(buffer.slice(0, size), from, socket.addr);
        if (answer === undefined) continue;
        await socket.send(answer, from);
        answered++;
      } catch (error) {
        if (!isClosed(error)) onError(error, from);
      } finally {
        admission?.release(from);
      }
    }
  } catch (error) {
    if (!isClosed(error)) throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    socket.close();
  }
  return { received, answered, dropped: socket.dropped };
}

/**
 * Receives, or resolves to undefined if it is to be tried again: a client that has gone away, and
 * refuses what was sent to it, is no reason to stop.
 */
async function receive(
  socket: Datagram,
  buffer: Uint8Array,
  backoff: ExhaustionBackoff,
  signal: AbortSignal,
) {
  try {
    const got = await socket.receive(buffer);
    backoff.reset();
    return got;
  } catch (error) {
    if (error instanceof SocketError && error.code === "ECONNREFUSED") return undefined;
    const wait = backoff.after(error);
    if (wait === undefined) throw error;
    // When it is aborted the socket is closed, and the next receive says so.
    await sleep(wait, systemClock, signal);
    return undefined;
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof SocketError && error.code === "ECLOSED";
}

function warnOf(error: unknown, from: UdpAddr): void {
  if (!(error instanceof SocketError)) warn(error, `on a datagram from ${formatAddr(from)}`);
}
