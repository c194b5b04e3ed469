/**
 * `server.ts web [DIR]`: a directory as a web site.
 *
 * @module
 */

import type { Addr } from "../../../base/addr.ts";
import { AccessLog } from "./access_log.ts";
import { statusOfError } from "../../../files/disk.ts";
import { makeSite } from "../../../files/site.ts";
import type { LightRequest } from "../../../http/server/light.ts";
import type { HttpOptions } from "../../../http/server/options.ts";
import { tracedLight } from "../../../http/fetch/traced.ts";
import { serveLight } from "../../../http/server/server.ts";
import { AUTHORIZATION_FIELDS, redacting } from "../../../observe/redact.ts";
import type { AccessList } from "../../../serve/access.ts";
import { WEB_HINTS } from "../../advice/hints.ts";
import { type Command, command } from "../../command.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { openBrowser } from "../../io/browser.ts";
import { renderFlags } from "../../io/flags.ts";
import type { Log } from "../../io/log.ts";
import { ACCESS_HELP } from "../../options/access.ts";
import { SERVICE_HELP } from "../../options/service.ts";
import { PROXY_HELP } from "../../options/proxy_protocol.ts";
import { METRICS_HELP } from "../../options/metrics.ts";
import { TLS_HELP } from "../../options/tls_server.ts";
import { INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { httpWords } from "../../drawing/http.ts";
import { openTransport } from "../../options/transport.ts";
import { openAccess } from "../../serving/access.ts";
import { fullNotice } from "../../serving/full.ts";
import { handoverOf } from "../../serving/handover.ts";
import { MAIN, openMonitor, placeToListen } from "../../serving/serving.ts";
import { Shortage } from "../../serving/shortage.ts";
import { conclude, tellMistake, tellStop } from "../../serving/tell.ts";
import { handshakeCallbacks, openTls } from "../../serving/tls.ts";
import type { Session } from "../../session.ts";

import { checkDirectory } from "./directory.ts";
import { describeLan } from "./lan.ts";
import { listenForWeb, siteUrl, type WebAddress } from "./listen.ts";
import { WEB_LINE, type WebOptions } from "./options.ts";
import { requestIdOf } from "./request_id.ts";
import { webTranscript } from "./transcript.ts";
import { followFile } from "./users.ts";

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
accepting and lets requests finish for the grace time.

${TLS_HELP}

${ACCESS_HELP}

${PROXY_HELP}

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
  hints: WEB_HINTS,
  run,
});

async function run(options: WebOptions, session: Session): Promise<number> {
  const { dir, site, auth, limits } = options;
  const { log, io } = session;
  const signals = session.onSignals();
  await checkDirectory(dir, site);
  const shortage = new Shortage(log, io.clock);
  const transport = shortage.watch(
    openTransport(session, webTranscript(), {
      shown: redacting(AUTHORIZATION_FIELDS),
      words: httpWords("server"),
    }),
  );
  const onReload = (reload: () => void) => session.onReload(reload);
  const access = openAccess(options.access, log, onReload);
  if (auth !== undefined) followFile(auth, log, onReload);
  await openMonitor(options.metrics, session);
  const metrics = session.monitor?.metrics;
  const address = { ...await addressOf(options, access, session), metrics };
  const listening = listenForWeb(transport, address, (message) => log.note(message));
  const listener = await session.untilListening(listening);
  handoverOf(session).add(MAIN, listener);
  await announce(listener.addr, options, session);

  tellStop("requests", limits.drainTimeout, log, signals);
  const requests = new AccessLog({
    write: (lines) => log.lines(lines),
    format: log.json ? "json" : "clf",
    users: site.credentials !== undefined,
  });
  const onError = (error: unknown, request: LightRequest | undefined) => {
    const asked = request === undefined ? "" : `${shown(request, log)}: `;
    // A file may be removed while it is sent: that is not a bug.
    if (statusOfError(error) === 500) tellMistake(error, log, asked);
    else log.note(asked + (error as Error).message);
  };
  const serving: HttpOptions = {
    signal: signals.signal,
    clock: io.clock,
    maxConnections: limits.maxConnections,
    onFull: fullNotice(limits.maxConnections, log, io.clock),
    admission: access,
    drainTimeout: limits.drainTimeout,
    metrics,
    limits: limits.upload === undefined ? {} : { maxSize: limits.upload },
    onError,
    onResponse: log.quiet ? undefined : (exchange) => requests.record(exchange),
  };
  const onShortage = (error: unknown) => shortage.heed(error);
  const handler = makeSite(
    dir,
    { ...site, onError, onShortage },
    (name) => `start it with --allow-host ${name}`,
  );
  const summary = await serveLight(listener, tracedLight(handler), serving).finished;
  requests.flush();
  return conclude(summary, access, log, signals);
}

/** A request in a message; where the log has its id, with that. */
function shown(request: LightRequest, log: Log): string {
  const line = `${request.method} ${request.target}`;
  return log.json ? `${line} (request ${requestIdOf(request)})` : line;
}

/** Where it listens, with its certificates. */
async function addressOf(
  { place: asked, systemd, tls }: WebOptions,
  access: AccessList | undefined,
  session: Session,
): Promise<WebAddress> {
  const place = await placeToListen({ name: MAIN, place: asked, systemd }, session);
  if (tls === undefined || "path" in place) return place;
  const { certificates } = await openTls(tls, "host" in place ? place.host : "", session);
  const alpnProtocols = ["http/1.1"];
  const callbacks = handshakeCallbacks(access, session.log);
  return { ...place, tls: { certificates, alpnProtocols, ...callbacks } };
}

/** Prints the URL, and logs other ways there. */
async function announce(addr: Addr, options: WebOptions, session: Session): Promise<void> {
  const { log, io } = session;
  const { dir, lan, open } = options;
  const scheme = options.tls === undefined ? "http" : "https";
  const url = siteUrl(addr, scheme);
  await session.announce(url);
  log.note(`serving ${dir === "." ? "the current directory" : dir}; Ctrl-C stops`);
  if (lan && "port" in addr) tellLan(log, options, addr.port, scheme);
  if (!open) return;
  openBrowser(url, io.env, (why) => log.note(`could not open the browser: ${why}`));
}

function tellLan(
  log: Log,
  { auth, site }: WebOptions,
  port: number,
  scheme: "http" | "https",
): void {
  for (const line of describeLan(port, scheme, !log.json)) log.note(line);
  if (auth === undefined) {
    const may = site.upload ? "read it and add to it" : "read it";
    log.note(`everyone in the network may ${may}; --auth asks for a password`);
  } else if (scheme === "http") log.note("the password crosses the network unencrypted");
}
