/**
 * `client.ts echo --udp`: the echo client for datagrams.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import type { Clock } from "../../../base/clock.ts";
import { counted } from "../../../base/plural.ts";
import type { UdpAddr } from "../../../base/addr.ts";
import type { Datagram } from "../../../net/datagram.ts";
import { DatagramEcho, type DatagramEchoOutcome } from "./udp_exchange.ts";
import { systemTransport } from "../../../net/system.deno.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import {
  type Flag,
  integer,
  needing,
  size,
  toggle,
  UsageError,
  type Values,
} from "../../io/flags.ts";
import type { Log } from "../../io/log.ts";
import type { Session } from "../../session.ts";
import { lookUpInTime } from "../../options/lookup_limit.ts";
import type { Signals } from "../../io/signals.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { openTransport } from "../../options/transport.ts";

/** What any path takes without cutting it in two (RFC 9000 section 14). */
const DATAGRAM_SIZE = 1200;

/** The flags of echo over UDP. */
export const UDP_FLAGS: {
  readonly udp: Flag<boolean>;
  readonly "datagram-size": Flag<number>;
  readonly retries: Flag<number>;
} = {
  udp: toggle("send datagrams (UDP), and again what does not come back"),
  "datagram-size": needing(
    "udp",
    size([1, 65507], DATAGRAM_SIZE, "with --udp, the most of stdin in a datagram (default 1200)"),
  ),
  retries: needing(
    "udp",
    integer("N", [0, 20], 3, "with --udp, how often to send one again (default 3)"),
  ),
};

/** Where the server is, and what the flags say. */
export interface EchoUdpOptions extends Values<typeof UDP_FLAGS> {
  readonly host: string;
  readonly port: number;
  readonly timeout: number;
  readonly "connect-timeout": number;
  /** The one datagram to send, or, cut into datagrams, what stdin gives. */
  readonly source: Uint8Array | AsyncIterable<Uint8Array>;
  readonly clock: Clock;
}

/** Sends all, and prints what comes back; resolves to the exit code. */
export async function echoUdpClient(
  options: EchoUdpOptions,
  session: Session,
  { signal: interrupted, exitCode }: Signals,
): Promise<number> {
  const { log } = session;
  const { host, port, source } = options;
  if (source instanceof Uint8Array && options["datagram-size"] !== DATAGRAM_SIZE) {
    throw new UsageError("Option --datagram-size is for stdin: say - in place of the message");
  }
  const transport = openTransport(session, clientTranscript());
  log.note(`sending to ${host} port ${port}`);
  const { "connect-timeout": timeout, clock } = options;
  const remote = { host, port };
  try {
    const limits = { timeout, signal: interrupted, clock };
    const socket = await lookUpInTime(
      remote,
      limits,
      (signal) => transport.listenDatagram({ remote, signal }),
    );
    const outcome = await converse(socket, options, log, interrupted);
    return report(log, socket.remoteAddr!, outcome, options.retries);
  } catch (error) {
    if (interrupted.aborted) return exitCode();
    throw error;
  }
}

async function converse(
  socket: Datagram,
  options: EchoUdpOptions,
  log: Log,
  signal: AbortSignal,
): Promise<DatagramEchoOutcome> {
  signal.addEventListener("abort", () => socket.close());
  const { retries, timeout, clock } = options;
  const sink = (data: Uint8Array) => log.data(data);
  const source = datagrams(options);
  try {
    return await new DatagramEcho(socket, { source, sink, retries, timeout, clock }).run();
  } finally {
    socket.close();
  }
}

async function* datagrams(options: EchoUdpOptions): AsyncGenerator<Uint8Array> {
  const { source, "datagram-size": size } = options;
  if (source instanceof Uint8Array) return yield source;
  for await (const chunk of source) {
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
  const where = formatAddr(server);
  const silent = systemTransport.name === "deno"
    ? " Deno does not tell whether it is refused."
    : "";
  throw new CliError(
    EXIT.timeout,
    `No echo came from ${where}, to which ${all} went ${tries}. Check that an echo ` +
      `server for UDP is there, and that no firewall is between.${silent}`,
  );
}
