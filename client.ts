#!/usr/bin/env -S deno run -A
/**
 * The client script: `client.ts [echo [MESSAGE]] [options]`, `client.ts get URL`,
 * `client.ts connect HOST:PORT` or `client.ts resolve HOST:PORT`. See `--help`.
 *
 * @module
 */

import process from "node:process";
import { command } from "./lib/cli/command.ts";
import { INSTRUMENT_FLAGS, INSTRUMENT_HELP } from "./lib/cli/options/instrument_flags.ts";
import { GENERAL_FLAGS, noMore } from "./lib/cli/options/common.ts";
import {
  describeDestination,
  DESTINATION_FLAGS,
  destinationOf,
} from "./lib/cli/options/destination.ts";
import { tellOutcome } from "./lib/cli/commands/echo/outcome.ts";
import { echoUdpClient, UDP_FLAGS } from "./lib/cli/commands/echo/udp_client.ts";
import { clientExitHelp } from "./lib/cli/io/exit.ts";
import { clientAdvice, placeAdvice } from "./lib/cli/advice/first_word.ts";
import { renderFlags, seconds, size, UsageError, type Values } from "./lib/cli/io/flags.ts";
import { ECHO_HINTS } from "./lib/cli/advice/hints.ts";
import { MESSAGE, messageOf } from "./lib/cli/commands/echo/message.ts";
import { processIo } from "./lib/cli/io/io.ts";
import { isMain, type Main, mainOf } from "./lib/cli/main.ts";
import { socatHint } from "./lib/cli/advice/socat.ts";
import type { Session } from "./lib/cli/session.ts";
import { awaitedStdin } from "./lib/cli/io/stdin.ts";
import { clientTranscript } from "./lib/cli/io/transcript.ts";
import { openTransport } from "./lib/cli/options/transport.ts";
import { dial } from "./lib/dial.ts";
import { EchoExchange, type EchoOutcome } from "./lib/cli/commands/echo/tcp_exchange.ts";
import { IdleWatch } from "./lib/serve/idle.ts";

export type { Io, ProgramSignal } from "./lib/cli/io/io.ts";
export type { ProgramOutput } from "./lib/cli/io/program_output.ts";
export type { Main } from "./lib/cli/main.ts";

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

async function echoClient(
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

const echoCommand = command({
  name: "echo",
  flags: FLAGS,
  help: HELP,
  hints: ECHO_HINTS,
  run: echoClient,
});

/** Runs the client as its command line says; resolves to the exit code. */
export const main: Main = mainOf("client.ts", {
  forUrl: "get",
  advice: clientAdvice,
  commands: {
    echo: () => Promise.resolve(echoCommand),
    get: async () => (await import("./lib/cli/commands/get/get.ts")).get,
    connect: async () => (await import("./lib/cli/commands/connect/connect.ts")).connect,
    recording: async () => (await import("./lib/cli/commands/recording/recording.ts")).recording,
    replay: async () => (await import("./lib/cli/commands/replay/client.ts")).replay,
    resolve: async () => (await import("./lib/cli/commands/resolve/resolve.ts")).resolve,
  },
});

if (isMain(import.meta)) process.exit(await main(process.argv.slice(2), processIo));
