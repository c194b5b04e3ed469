/**
 * `client.ts connect HOST:PORT`: joins stdin and stdout to a socket, for people who know nc.
 *
 * @module
 */

import { type Command, command } from "../../command.ts";
import { INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { CONNECT_LINE } from "./options.ts";
import { clientExitHelp } from "../../io/exit.ts";
import { renderFlags } from "../../io/flags.ts";

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
  lines                     LF or CRLF after it; sent with LF
  delimiter:TEXT            TEXT after it, in which \\n, \\r, \\t, \\\\ and \\xHH are escapes
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
  hints: async () => (await import("../../advice/foreign_options.ts")).NC_HINTS,
  run: async (options, session) => await (await import("./run.ts")).runConnect(options, session),
});
