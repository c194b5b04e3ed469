/**
 * `server.ts [echo]`: the echo server, over streams or datagrams.
 *
 * @module
 */

import { type Command, command } from "../../command.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { renderFlags } from "../../io/flags.ts";
import { ACCESS_HELP } from "../../options/access_flags.ts";
import { METRICS_HELP } from "../../options/metrics.ts";
import { SERVICE_HELP } from "../../options/service_manager.ts";
import { PROXY_HELP } from "../../options/proxy_protocol.ts";
import { TLS_HELP } from "../../options/tls_server.ts";
import { INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { permissionsHelp } from "../../options/serving.ts";
import { WORKERS_HELP } from "../../options/workers.ts";
import { ORIGIN_HELP } from "../../web_socket/options.ts";
import { ECHO_SERVER_LINE } from "./server_options.ts";

const HELP = `A server made of plain sockets.

  deno run -A server.ts                        an echo server on localhost port 10000
  deno run -A server.ts --port 0 -v            on a free port, showing every step
  deno run -A server.ts --host ''              for other machines, too
  deno run -A server.ts --tls-self-signed      over TLS
  deno run -A server.ts --unix /tmp/echo.sock  on a Unix socket
  deno run -A server.ts echo --udp             for datagrams
  deno run -A server.ts echo --ws              for WebSockets
  deno run -A server.ts --workers 2            in two processes, on two cores
  deno run -A server.ts web dist               a directory as a web site, on port 8080
  deno run -A server.ts relay --to host:80     a port that leads to another one
  deno run -A server.ts chat                   a room for all who connect
  deno run -A server.ts --watch --open         drawn live in your browser
  npx plainsocket server                       the same on Node
  deno run -A jsr:@plainsocket/plainsocket/server  the same without a checkout

Usage: server.ts [echo] [options]
       server.ts web [DIR] [options]           see 'web --help'
       server.ts relay --to TARGET [options]
       server.ts chat [options]
       server.ts replay FILE [options]
       server.ts watch FILE [options]
       server.ts wstest [options]

Protocols:
  echo   sends back whatever comes, until the client half-closes (RFC 862)
  web    files of a directory, with listings, ranges, compression and uploads (HTTP/1.1)
  relay  joins each client to a target, over TCP, TLS or a Unix socket on either side
  chat   the clients talk to each other, in lines
  replay plays the server's side of what --record has written
  watch  shows that in a page of the browser
  wstest tests WebSocket clients that connect

Options:
${renderFlags(ECHO_SERVER_LINE.flags)}

Over UDP on any address (--host ''), the answers of a host with several addresses may come from
another one than was asked, which clients may not take: then listen on that one.

With --ws a message has at most 1 MiB; silent peers get a Ping every 30 s.
${ORIGIN_HELP}

stdout gets one line: the URL it listens at. All else goes to stderr. Ctrl-C or SIGTERM stops
accepting and lets connections finish for the time of --grace, then resets them; again ends at once.

${TLS_HELP}

${ACCESS_HELP}

${PROXY_HELP}

${SERVICE_HELP}

${METRICS_HELP}

${WORKERS_HELP}

${permissionsHelp("--allow-net=127.0.0.1:10000")}

${INSTRUMENT_HELP}

Exit codes:
${SERVER_EXIT_HELP}
`;

/** The command; see the module. */
export const echo: Command = command({
  name: "echo",
  line: ECHO_SERVER_LINE,
  help: HELP,
  hints: async () => (await import("../../advice/foreign_options.ts")).ECHO_SERVER_HINTS,
  run: async (options, session) =>
    await (await import("./run_server.ts")).runEchoServer(options, session),
});
