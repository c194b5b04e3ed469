/**
 * `client.ts connect HOST:PORT`: joins stdin and stdout to a socket, for people who know nc.
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
import { type Command, command } from "../../command.ts";
import { INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { withCrlf } from "./crlf.ts";
import { AlertWatch } from "./tls_alert.ts";
import { DatagramEnds, openDatagrams } from "./datagrams.ts";
import { FrameEnds } from "./frames.ts";
import { type Direction, HexDump } from "./hex.ts";
import { CONNECT_LINE, type ConnectOptions, type JoinChoice } from "./options.ts";
import { probe } from "./probe.ts";
import type { WebSocketTarget } from "./web_socket_options.ts";
import { describeDestination } from "../../options/destination.ts";
import { clientExitHelp, EXIT } from "../../io/exit.ts";
import { renderFlags } from "../../io/flags.ts";
import { NC_HINTS } from "../../advice/foreign_options.ts";
import type { Log } from "../../io/log.ts";
import type { Session } from "../../session.ts";
import { awaitedStdin } from "../../io/stdin.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { openClientTransport } from "../../options/transport.ts";

const HELP = `Joins stdin and stdout to a socket.

  deno run -A client.ts connect localhost:10000           sends what you type, shows what comes
  deno run -A client.ts connect localhost:10000 < a > b   sends a file, and saves what comes back
  deno run -A client.ts connect --crlf --tls mail.example:465
  deno run -A client.ts connect --unix /run/app.sock      a socket file
  deno run -A client.ts connect --hex '[::1]:53' < query  shows each byte
  deno run -A client.ts connect --frame u32 localhost:9   each line is a message with its length
  deno run -A client.ts connect --udp localhost:10000     datagrams
  deno run -A client.ts connect ws://localhost:10000/     a WebSocket: each line is a message
  deno run -A client.ts connect -z localhost:8000-8100    which of these ports are open?
  npx plainsocket client connect localhost:10000          the same on Node

Usage: client.ts connect HOST:PORT [options]
       client.ts connect --unix PATH [options]
       client.ts connect ws://HOST:PORT/PATH [options]
       client.ts connect -z HOST:PORT[-LAST] [options]

Options:
${renderFlags(CONNECT_LINE.flags)}

The end of stdin (Ctrl-D on a terminal) and the end of what the peer sends, with --on-eof:
  half-close  is passed on. Behind stdin's, what still comes is received until the peer ends, too.
              Behind the peer's, what is in stdin is still sent, until it ends or pauses for 0.5 s.
  close       ends all at once; what would have come later is lost.
  wait        waits until the other side has ended, too; no FIN is sent before.

FRAMING is where a message ends, for --frame:
  lines                     LF or CRLF behind it; sent with LF
  delimiter:TEXT            TEXT behind it, in which \\n, \\r, \\t, \\\\ and \\xHH are escapes
  u8, u16, u32, varint      its length before it, in network order; u16le, u32le: in the other
  fixed:SIZE                each of them has SIZE bytes
A frame that is text is printed as it is, and any other with such escapes. Bytes that are not a
whole frame are printed with escapes and without a line end, and then it fails. With --hex, all
bytes are shown, those around the frames as well.

With ws:// and wss://, a line of stdin is a text message, and a message that comes is printed as a
line, with escapes as a frame is. With --binary, what is read of stdin at once, at most 64 KiB, is
a message, and bytes are printed as they come. A WebSocket has no half-close: after stdin ends, it
is closed with 1000 once nothing has come for 0.5 s; with --on-eof close at once, and with wait when
the peer closes it. The code and reason with which it was closed are in the log.

Over UDP there is no end to pass on. When all of stdin is sent and something has come, it is over
after --idle-timeout without more; without that option Ctrl-C ends it. A datagram has 65,507 bytes
at most; a line on a terminal is one.

stdout gets what comes, byte for byte, or the frames, or the hex dump; -z prints each open
port on a line. All else goes to stderr. -z succeeds if one port is open at least.

${INSTRUMENT_HELP}

Exit codes:
${
  clientExitHelp([
    "ok",
    "notConnected",
    "badInput",
    "timeout",
    "tlsFailed",
    "receiveFailed",
    "badCertificate",
    "refused",
  ], {
    closedEarly:
      "the peer closed in the middle of a frame, takes no more, or closed with an error's code",
    refused: "the server answered, and not with a WebSocket",
  })
}
`;

/** The command; see the module. */
export const connect: Command = command({
  name: "connect",
  line: CONNECT_LINE,
  help: HELP,
  hints: NC_HINTS,
  run,
});

async function run(
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
