/**
 * The work of `client.ts connect`: joining stdin and stdout to a socket.
 *
 * @module
 */

import { counted } from "../../../base/counted.ts";
import { dial } from "../../../dial.ts";
import {
  join,
  type Joinable,
  type JoinOptions,
  type JoinOutcome,
} from "../../../protocols/join.ts";
import type { Conn } from "../../../net/transport.ts";
import { withCrlf } from "./crlf.ts";
import { AlertWatch } from "./tls_alert.ts";
import { DatagramEnds, openDatagrams } from "./datagrams.ts";
import { FrameEnds } from "./frames.ts";
import { type Direction, HexDump } from "./hex.ts";
import type { ConnectOptions, JoinChoice } from "./options.ts";
import { probe } from "./probe.ts";
import type { WebSocketTarget } from "./web_socket_options.ts";
import { describeDestination } from "../../options/destination.ts";
import { EXIT } from "../../io/exit.ts";
import type { Log } from "../../io/log.ts";
import type { Session } from "../../session.ts";
import { awaitedStdin } from "../../io/stdin.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { openClientTransport } from "../../options/transport.ts";

/** Connects, and joins the two until both have ended; resolves to the exit code. */
export async function runConnect(
  { destinations, connectTimeout: timeout, ...options }: ConnectOptions,
  session: Session,
): Promise<number> {
  const { log, io: { clock } } = session;
  const { signal, exitCode } = session.onSignals();
  const transport = openClientTransport(session, clientTranscript());
  const limits = { timeout, signal, clock };
  try {
    if (options.webSocket !== undefined) {
      return await message(options.webSocket, options.join, timeout, session, signal) ?? exitCode();
    }
    if (options.probe) return await probe(transport, destinations, limits, session);
    const [destination] = destinations;
    const udp = "udp" in destination;
    log.note(`${udp ? "sending" : "connecting"} to ${describeDestination(destination)}`);
    const conn = udp
      ? await openDatagrams(transport, destination, limits)
      : await dial(transport, { ...destination, ...limits });
    const outcome = await converse(conn, options.join, signal, session);
    log.note(summary(conn, outcome));
    return EXIT.ok;
  } catch (error) {
    if (signal.aborted) return exitCode();
    throw error;
  }
}

/** The same with a WebSocket, which is loaded only then; resolves to undefined if a signal has ended it. */
async function message(
  target: WebSocketTarget,
  { hex, onEof }: JoinChoice,
  connectTimeout: number,
  session: Session,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { log, io } = session;
  log.note(`connecting to ${target.url}`);
  const stdin = awaitedStdin(io, () => {
    if (io.hasInput()) {
      log.note("waiting for the peer, and for input on stdin, which is sent to it");
    }
  });
  const { converseInMessages } = await import("./web_socket.ts");
  const transport = openClientTransport(session, clientTranscript());
  const ends = (source: AsyncIterable<Uint8Array>) =>
    hex ? dumped(source, log) : { source, sink: (data: Uint8Array) => log.data(data) };
  const choice = { onEof, connectTimeout, stdin, ends, signal };
  const code = await converseInMessages(target, transport, choice, session);
  return signal.aborted ? undefined : code;
}

async function converse(
  conn: Conn | DatagramEnds,
  { framing, hex, crlf, onEof, idleTimeout }: JoinChoice,
  signal: AbortSignal,
  { log, io }: Session,
): Promise<JoinOutcome> {
  const { clock } = io;
  const stdin = awaitedStdin(io, () => {
    if (io.hasInput() && conn.bytesRead === 0) {
      log.note("waiting for the peer, and for input on stdin, which is sent to it");
    }
  });
  const alerts = new AlertWatch();
  const print = (data: Uint8Array) => {
    alerts.take(data);
    return log.data(data);
  };
  const frames = framing && new FrameEnds(framing, stdin, print);
  const source = frames?.source ?? (crlf ? withCrlf(stdin) : stdin);
  const ends = hex ? dumped(source, log) : { source, sink: frames?.sink ?? print };
  let outcome;
  try {
    const options = { ...ends, onEof, idleTimeout, signal, clock };
    outcome = conn instanceof DatagramEnds ? await conn.join(options) : await join(conn, options);
  } catch (error) {
    // The error that ended it is the one to report.
    await frames?.end(false).catch(() => {});
    throw error;
  }
  await frames?.end(outcome.peerEnded);
  if (alerts.isAlone) {
    log.note("the server speaks TLS there: what came is its alert. Try it with --tls");
  }
  return outcome;
}

/** Shows what goes through, both ways, and prints nothing else. */
function dumped(source: AsyncIterable<Uint8Array>, log: Log): Pick<JoinOptions, "source" | "sink"> {
  const dump = new HexDump();
  const show = (direction: Direction, data: Uint8Array) =>
    log.data(new TextEncoder().encode(dump.lines(direction, data)));
  return {
    source: (async function* () {
      for await (const chunk of source) {
        await show(">", chunk);
        yield chunk;
      }
    })(),
    sink: (data) => show("<", data),
  };
}

function summary({ bytesRead, bytesWritten }: Joinable, { sourceEnded }: JoinOutcome): string {
  const who = sourceEnded ? "closed" : "the peer closed";
  return `sent ${counted(bytesWritten, "byte")} and received ${bytesRead}; ${who}`;
}
