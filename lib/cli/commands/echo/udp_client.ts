/**
 * `client.ts echo --udp`: the echo client for datagrams.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import { adviceOf, SocketError } from "../../../base/errors.ts";
import { counted } from "../../../base/counted.ts";
import type { UdpAddr } from "../../../base/addr.ts";
import type { Datagram } from "../../../net/datagram.ts";
import type { DatagramOptions } from "./client_options.ts";
import { DatagramEcho, type DatagramEchoOutcome } from "./udp_exchange.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import type { Log } from "../../io/log.ts";
import type { Session } from "../../session.ts";
import { inTime } from "../../../base/wait.ts";
import type { Signals } from "../../io/signals.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { openClientTransport } from "../../options/transport.ts";

/** The server, and options for sending datagrams to it. */
export interface EchoUdpOptions extends DatagramOptions {
  /** The one datagram to send. Undefined is stdin, cut into datagrams. */
  readonly message: Uint8Array | undefined;
  /** The time to connect, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number;
  /** The longest time without an echo, in milliseconds; 0 for no limit. */
  readonly timeout: number;
}

/** Sends all, and prints what comes back; resolves to the exit code. */
export async function echoUdpClient(
  options: EchoUdpOptions,
  stdin: AsyncIterable<Uint8Array>,
  session: Session,
  { signal: interrupted, exitCode }: Signals,
): Promise<number> {
  const { log, io: { clock } } = session;
  const { remote, connectTimeout: timeout } = options;
  const transport = openClientTransport(session, clientTranscript());
  log.note(`sending to ${remote.host} port ${remote.port}`);
  try {
    const limits = { timeout, signal: interrupted, clock };
    const socket = await inTime(
      limits,
      (signal) => transport.listenDatagram({ remote, signal }),
    );
    const source = datagrams(options, stdin);
    const outcome = await converse(socket, source, options, session, interrupted);
    return report(log, socket.remoteAddr!, outcome, options.retries);
  } catch (error) {
    if (interrupted.aborted) return exitCode();
    throw error;
  }
}

async function converse(
  socket: Datagram,
  source: AsyncIterable<Uint8Array>,
  { retries, timeout }: EchoUdpOptions,
  { log, io: { clock } }: Session,
  signal: AbortSignal,
): Promise<DatagramEchoOutcome> {
  signal.addEventListener("abort", () => socket.close());
  const sink = (data: Uint8Array) => log.data(data);
  try {
    return await new DatagramEcho(socket, { source, sink, retries, timeout, clock }).run();
  } finally {
    socket.close();
  }
}

async function* datagrams(
  { message, size }: EchoUdpOptions,
  stdin: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (message !== undefined) return yield message;
  for await (const chunk of stdin) {
    for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size);
  }
}

function report(
  log: Log,
  server: UdpAddr,
  { sent, echoed, lost, retransmitted, duplicates, differsAt }: DatagramEchoOutcome,
  retries: number,
): number {
  if (differsAt !== undefined) {
    throw new CliError(
      EXIT.differed,
      `The echo differs from what was sent, in datagram ${differsAt}.`,
    );
  }
  const all = counted(sent, "datagram");
  const counts = `${retransmitted} sent again, ${duplicates} came twice or late`;
  if (lost === 0) {
    log.note(`sent ${all} and received the same; ${counts}`);
    return EXIT.ok;
  }
  const tries = retries === 0 ? "once" : `${retries + 1} times`;
  if (echoed > 0) {
    throw new CliError(
      EXIT.closedEarly,
      `${lost} of ${all} lost, though sent ${tries}; ${counts}. ` +
        "Try a smaller --datagram-size, or more --retries.",
    );
  }
  const cause = new SocketError("ETIMEDOUT", "receive", { addr: server });
  throw new CliError(
    EXIT.timeout,
    `No echo came from ${formatAddr(server)}, to which ${all} went ${tries}. ${adviceOf(cause)}`,
    { cause },
  );
}
