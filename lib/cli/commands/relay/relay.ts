/**
 * `server.ts relay --to TARGET`: a port that leads to another one.
 *
 * @module
 */

import { ACCESS_HELP } from "../../options/access_flags.ts";
import { METRICS_HELP } from "../../options/metrics.ts";
import { SERVICE_HELP } from "../../options/service_manager.ts";
import { TLS_HELP } from "../../options/tls_server.ts";
import { type Command, command } from "../../command.ts";
import { INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { renderFlags } from "../../io/flags.ts";
import { ORIGIN_HELP } from "../../web_socket/options.ts";
import { PROXY_HELP } from "../../options/proxy_protocol.ts";
import { permissionsHelp } from "../../options/serving.ts";
import { WORKERS_HELP } from "../../options/workers.ts";
import { RELAY_LINE } from "./options.ts";

const HELP = `Joins each client to a connection of its own to a target, or to one of several.

  deno run -A server.ts relay --to localhost:10000              to another port
  deno run -A server.ts relay --to localhost:80 --port 8443 --tls-self-signed
                                                                TLS in front of a plain server
  deno run -A server.ts relay --to tls:example.com:443          plain in front of TLS
  deno run -A server.ts relay --to unix:/run/app.sock           a Unix socket for the network
  deno run -A server.ts relay --to localhost:5432 --unix db.sock
  deno run -A server.ts relay --to a:80 --to b:80 --to c:80     each client to one of three
  deno run -A server.ts relay --to @targets.txt                 those in a file, one a line
  deno run -A server.ts relay --to a:80 --send-proxy v2         says first who the client is
  deno run -A server.ts relay --ws --to localhost:5900          for browsers, as websockify
  deno run -A server.ts relay --to ws://localhost:8080/         for programs without WebSocket
  deno run -A server.ts relay --toxiproxy-api 8474              relays as toxiproxy's clients say
  npx plainsocket server relay --to localhost:10000             the same on Node

Usage: server.ts relay --to TARGET [options]
       server.ts relay --toxiproxy-api PORT [options]

Options:
${renderFlags(RELAY_LINE.flags)}

A side that reads slowly holds the other one back. The end of one side's stream is passed on while
the other goes on. A reset of one side resets the other; a target that cannot be reached resets the
client. (Deno cannot reset, and closes.) --idle-timeout is for both directions together.

Of several targets a client gets the one with the fewest connections. Each is checked by connecting,
at once and every --check-interval. One that cannot be connected to is down, and the client gets the
next one; once a target is connected, no other is tried. If all are down, each is tried. --to @FILE
has one target a line, with # before a comment. SIGHUP reads it again: a target that is not there
any more gets no new client, and keeps those that it has until they end. Options of TLS are for all
targets with tls:. A ws:// target is the only one. With --workers, each worker checks and counts.

--send-proxy sends a header of the PROXY protocol with the client's address before the first byte,
also before TLS. The target must expect it.

A WebSocket carries the bytes in binary messages, cut anywhere; a text is its UTF-8. It has no
half-close: the end of the target closes it with 1000, and what it still sends is lost; the end of a
client closes a target once that has answered a Ping and nothing has come for 0.5 s; when it closes,
the other side gets FIN. --ws cannot be used with --toxiproxy-api, nor with --idle-timeout: silent
clients get a Ping every 30 s.
${ORIGIN_HELP}

stdout gets one line: the URL it listens at. stderr gets a line for each connection when it has
ended: the bytes each way, the time, and what went wrong if something did. Ctrl-C or SIGTERM stops
accepting and lets connections finish for the time of --grace, then resets them; again ends at once.

${TLS_HELP}

${ACCESS_HELP}

${PROXY_HELP}

${SERVICE_HELP}

${METRICS_HELP}

${WORKERS_HELP}

${permissionsHelp("--allow-net=127.0.0.1:10001 --allow-net=HOST:PORT of the target")}

${INSTRUMENT_HELP}

--toxiproxy-api has the HTTP API of toxiproxy, whose clients make proxies and break their
connections with toxics. Its URL is a line on stdout, too. The limits and networks are also those of
the proxies. --seed N gives toxics to the same connections as in the run with this seed.

Exit codes:
${SERVER_EXIT_HELP}
`;

/** The command. */
export const relay: Command = command({
  name: "relay",
  line: RELAY_LINE,
  help: HELP,
  hints: async () => (await import("../../advice/foreign_options.ts")).RELAY_HINTS,
  run: async (options, session) => await (await import("./run.ts")).runRelay(options, session),
});
