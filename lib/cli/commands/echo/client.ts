/**
 * `client.ts [echo [MESSAGE]]`: the echo client, over streams or datagrams.
 *
 * @module
 */

import { type Command, command } from "../../command.ts";
import { clientExitHelp } from "../../io/exit.ts";
import { renderFlags } from "../../io/flags.ts";
import { INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { ECHO_CLIENT_LINE } from "./client_options.ts";
import { MESSAGE } from "./message.ts";

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
       client.ts explain HOST:PORT [options]
       client.ts recording FILE [options]
       client.ts replay FILE --to TARGET [options]
       client.ts wstest URL [options]

Protocols:
  echo     sends MESSAGE, half-closes, and checks that the same comes back (RFC 862)
  get      gets what is at a URL: see 'get --help'
  connect  joins stdin and stdout to a socket, as nc does: see 'connect --help'
  resolve  shows the addresses of a name: see 'resolve --help'
  explain  checks whether a server can be reached, and why not: see 'explain --help'
  recording
           shows what --record has written: see 'recording --help'
  replay   plays the client's side of that: see 'replay --help'
  wstest   tests a WebSocket server: see 'wstest --help'

MESSAGE is '${MESSAGE}' by default.
With -, or without MESSAGE when stdin is a pipe or a file, stdin is sent instead.

Options:
${renderFlags(ECHO_CLIENT_LINE.flags)}

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
  line: ECHO_CLIENT_LINE,
  help: HELP,
  hints: async () => (await import("../../advice/foreign_options.ts")).ECHO_HINTS,
  run: async (options, session) =>
    await (await import("./run_client.ts")).runEchoClient(options, session),
});
