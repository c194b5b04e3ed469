/**
 * `server.ts web [DIR]`: a directory as a web site.
 *
 * @module
 */

import { type Command, command } from "../../command.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { renderFlags } from "../../io/flags.ts";
import { ACCESS_HELP } from "../../options/access_flags.ts";
import { SERVICE_HELP } from "../../options/service_manager.ts";
import { PROXY_HELP } from "../../options/proxy_protocol.ts";
import { METRICS_HELP } from "../../options/metrics.ts";
import { WORKERS_HELP } from "../../options/workers.ts";
import { TRUST_PROXY_HELP } from "../../options/trust_proxy.ts";
import { TLS_HELP } from "../../options/tls_server.ts";
import { INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { WEB_LINE } from "./options.ts";

const HELP = `A directory as a web site.

  deno run -A server.ts web                    the current directory
  deno run -A server.ts web --open dist        another one, in your browser
  deno run -A server.ts web --lan photos       for the phones in your network, too
  npx plainsocket server web dist              the same on Node

Usage: server.ts web [DIR] [options]

Directories without an index.html are listed. Ranges, conditional requests and compression work as
browsers like it. Only this machine can connect unless --lan or --host says otherwise.

Options:
${renderFlags(WEB_LINE.flags)}

stdout gets one line: the URL. stderr gets a line for each request in the Common Log Format, or as
JSON with --log json. With -v each head is shown, with *** for passwords. Ctrl-C or SIGTERM stops
accepting and lets requests finish for the time of --grace.

${TLS_HELP}

${WORKERS_HELP}

${ACCESS_HELP}

${PROXY_HELP}

${TRUST_PROXY_HELP}

${SERVICE_HELP}

${METRICS_HELP}

SIGHUP reads the file of --auth @FILE again, too, and on its own: if it is not right, user and
password stay as they were, whatever the networks do.

Without --auth, a request for a name that is not known to be the server's is refused with 421, since
any page could have a name of its own lead here and read what is served. Known are IP addresses,
localhost and names below it, --host, the name of this machine (on Deno with --allow-sys=hostname),
and each --allow-host NAME. Behind a proxy that passes Host on, add the names that it serves.

With Deno, no more is needed than --allow-net=127.0.0.1:8080 --allow-read=DIR; for uploads
--allow-write=DIR, for --open --allow-run, for --lan --allow-net --allow-sys=networkInterfaces.
docs/operate.md has the flags of each job, also those of 'node --permission'.

${INSTRUMENT_HELP}

Exit codes:
${SERVER_EXIT_HELP}
`;

/** The command. */
export const web: Command = command({
  name: "web",
  line: WEB_LINE,
  help: HELP,
  hints: async () => (await import("../../advice/foreign_options.ts")).WEB_HINTS,
  run: async (options, session) => await (await import("./run.ts")).runWeb(options, session),
});
