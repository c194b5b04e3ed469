/**
 * `client.ts [echo [MESSAGE]]`: the echo client, over streams or datagrams.
 *
 * @module
 */

import { dial } from "../../../dial.ts";
import { IdleWatch } from "../../../serve/idle.ts";
import { placeAdvice } from "../../advice/first_word.ts";
import { ECHO_HINTS } from "../../advice/hints.ts";
import { socatHint } from "../../advice/socat.ts";
import { type Command, command } from "../../command.ts";
import { clientExitHelp } from "../../io/exit.ts";
import { renderFlags, seconds, size, UsageError, type Values } from "../../io/flags.ts";
import { awaitedStdin } from "../../io/stdin.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { GENERAL_FLAGS, noMore } from "../../options/common.ts";
import {
  describeDestination,
  DESTINATION_FLAGS,
  destinationOf,
} from "../../options/destination.ts";
import { INSTRUMENT_FLAGS, INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { openTransport } from "../../options/transport.ts";
import type { Session } from "../../session.ts";
import { MESSAGE, messageOf } from "./message.ts";
import { tellOutcome } from "./outcome.ts";
import { EchoExchange, type EchoOutcome } from "./tcp_exchange.ts";
import { echoUdpClient, UDP_FLAGS } from "./udp_client.ts";

const FLAGS = {
  ...DESTINATION_FLAGS,
  "connect-timeout": seconds(10, "to resolve the name and connect; 0 = no limit (default 10)"),
  timeout: seconds(60, "to wait with no byte moving; 0 = no limit (default 60)"),
  "recv-size": size([1, 2 ** 26], 65536, "most bytes to receive at once (default 64 KiB)"),
  ...UDP_FLAGS,
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

const HELP = `A client made of plain sockets.

  deno run -A client.ts                        sends a message to the echo server
  deno run -A client.ts echo hello --port 7    another message, another port
  deno run -A client.ts < file > copy          a file of any size
  deno run -A client.ts echo --udp hello       a datagram
  deno run -A client.ts --tls --cacert ca.pem  over TLS
  npx plainsocket client                       the same on Node
  deno run -A jsr:@plainsocket/plainsocket/client  the same without a checkout

Usage: client.ts [echo [MESSAGE]] [options]
       client.ts get URL [options]
       client.ts connect HOST:PORT [options]
       client.ts resolve HOST:PORT [options]
       client.ts recording FILE [options]
       client.ts replay FILE --to TARGET [options]

Protocols:
  echo     sends MESSAGE, half-closes, and checks that the same comes back (RFC 862)
  get      gets what is at a URL; 'get --help' tells more
  connect  joins stdin and stdout to a socket, as nc does; 'connect --help' tells more
  resolve  shows the addresses of a name; 'resolve --help' tells more
  recording
           shows what --record has written; 'recording --help' tells more
  replay   plays the client's side of that; 'replay --help' tells more

MESSAGE is '${MESSAGE}' by default.
With -, or without MESSAGE when stdin is a pipe or a file, stdin is sent instead.

Options:
${renderFlags(FLAGS)}

stdout gets what comes back, byte for byte. All else goes to stderr.

${INSTRUMENT_HELP}

Exit codes:
${
  clientExitHelp([
    "ok",
    "differed",
    "notConnected",
    "timeout",
    "tlsFailed",
    "receiveFailed",
    "badCertificate",
  ], { closedEarly: "the server closed before all had come, or datagrams were lost" })
}
`;

/** The command; see the module. */
export const echo: Command = command({
  name: "echo",
  flags: FLAGS,
  help: HELP,
  hints: ECHO_HINTS,
  run,
});

async function run(
  values: Values<typeof FLAGS>,
  positionals: string[],
  session: Session,
): Promise<number> {
  const { clock } = session.io;
  const [, next] = positionals;
  const advice = next === undefined
    ? undefined
    : placeAdvice(positionals) ?? socatHint(next, positionals[2]);
  const message = messageOf(positionals.shift(), session.io);
  noMore(positionals, advice ?? "put quotes around a message of several words");

  const destination = destinationOf(values);
  if (values.udp && (values.tls || values.unix !== "")) {
    throw new UsageError("Option --udp goes without --tls and --unix");
  }
  if (values.udp && values["recv-size"] !== FLAGS["recv-size"].fallback) {
    throw new UsageError("Option --udp goes without --recv-size");
  }
  const signals = session.onSignals();
  const log = session.openLog(values);
  const stdin = awaitedStdin(session.io, () => {
    log.note(
      "waiting for input on stdin, which is sent until it ends; to send a message say 'echo MESSAGE'",
    );
  });
  if (values.udp) {
    return await echoUdpClient({ ...values, source: message ?? stdin, clock }, session, signals);
  }
  const { signal, exitCode } = signals;
  const transport = openTransport(session, clientTranscript());
  log.note(`connecting to ${describeDestination(destination)}`);
  try {
    const timeout = values["connect-timeout"];
    const conn = await dial(transport, { ...destination, signal, timeout, clock });
    signal.addEventListener("abort", () => conn.reset());
    const exchange = new EchoExchange(conn, {
      source: message === undefined ? stdin : once(message),
      sink: (data) => log.data(data),
      recvSize: values["recv-size"],
    });
    const idle = new IdleWatch(values.timeout, clock);
    idle.add(conn, () => exchange.waiting);
    let outcome: EchoOutcome;
    try {
      outcome = await exchange.run();
    } finally {
      idle.delete(conn);
      conn.close();
    }
    return tellOutcome(outcome, log, exchange.sentAll ? outcome.sent : message?.length);
  } catch (error) {
    if (signal.aborted) return exitCode();
    throw error;
  }
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}
