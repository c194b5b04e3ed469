/**
 * `server.ts web [DIR]`: a directory as a web site.
 *
 * @module
 */

import type { Addr } from "../../../base/addr.ts";
import { systemTransport } from "../../../net/system.deno.ts";
import type { ListenOptions } from "../../../net/transport.ts";
import { WEB_HINTS } from "../../advice/foreign_options.ts";
import { type Command, command } from "../../command.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { openBrowser } from "../../io/browser.ts";
import { renderFlags } from "../../io/flags.ts";
import type { Signals } from "../../io/signals.ts";
import { ACCESS_HELP } from "../../options/access_flags.ts";
import { SERVICE_HELP } from "../../options/service_manager.ts";
import { PROXY_HELP } from "../../options/proxy_protocol.ts";
import { METRICS_HELP } from "../../options/metrics.ts";
import { WORKERS_HELP } from "../../options/workers.ts";
import { TRUST_PROXY_HELP } from "../../options/trust_proxy.ts";
import { TLS_HELP } from "../../options/tls_server.ts";
import { INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { openTransport } from "../../options/transport.ts";
import { openAccess } from "../../serving/access_reload.ts";
import { connectionLimitNotice } from "../../serving/connection_limit_notice.ts";
import { handoverOf } from "../../serving/handover.ts";
import { MAIN, openMonitor, placeToListen, withTls } from "../../serving/serving.ts";
import { Shortage } from "../../serving/resource_shortage.ts";
import { conclude, logStop } from "../../serving/server_log.ts";
import type { Session } from "../../session.ts";

import { checkDirectory } from "./check_directory.ts";
import { findPort, listenForWeb, siteUrl, type WebAddress } from "./listen.ts";
import { WEB_LINE, type WebOptions } from "./options.ts";
import { serveSite, type Site } from "./serve_site.ts";
import { SITE_SHOWN, webTranscript } from "./transcript.ts";
import { followFile } from "./users.ts";

/** The protocols over TLS. */
const ALPN = ["http/1.1"];

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
  hints: WEB_HINTS,
  run,
});

async function run(options: WebOptions, session: Session): Promise<number> {
  const { dir, site, auth, trustProxy, limits } = options;
  const signals = session.onSignals();
  await checkDirectory(dir, site);
  await openMonitor(options.metrics, session);
  const served: Site = { dir, options: site, auth, trustProxy, upload: limits.upload };
  return options.workers === undefined
    ? await serveInLoop(served, options, session, signals)
    : await serveByWorkers(served, options, session, signals);
}

async function serveInLoop(
  site: Site,
  options: WebOptions,
  session: Session,
  signals: Signals,
): Promise<number> {
  const { log, io, monitor } = session;
  const { maxConnections, drainTimeout } = options.limits;
  const shortage = new Shortage(log, io.clock);
  const transport = shortage.watch(openTransport(session, webTranscript(), SITE_SHOWN));
  followFile(site.auth, log, session);
  const { place, tls, access, announce } = await planSite(options, session);
  const secured = withTls(place as ListenOptions, tls?.certificates, access, log, ALPN);
  const address = { ...secured as WebAddress, metrics: monitor?.metrics };
  const listening = listenForWeb(transport, address, (message) => log.note(message));
  const listener = await session.untilListening(listening);
  handoverOf(session).add(MAIN, listener);
  await announce(listener.addr);
  logStop("requests", drainTimeout, log, signals);
  const summary = await serveSite(listener, site, {
    log,
    shortage,
    isWorker: false,
    serving: {
      signal: signals.signal,
      clock: io.clock,
      maxConnections,
      onFull: connectionLimitNotice(maxConnections, log, io.clock),
      admission: access,
      drainTimeout,
      metrics: monitor?.metrics,
    },
  });
  return conclude(summary, access, log, signals);
}

async function serveByWorkers(
  site: Site,
  options: WebOptions,
  session: Session,
  signals: Signals,
): Promise<number> {
  const { serveInWorkers } = await import("../../serving/workers.ts");
  const { WORKER_MODULE } = await import("./worker.ts");
  const plan = await planSite(options, session);
  const place = await findPort(systemTransport, plan.place, (text) => session.log.note(text));
  return await serveInWorkers(
    {
      ...options,
      place,
      module: WORKER_MODULE,
      workers: options.workers!,
      // Each phase of a connection has its own deadline.
      limits: { ...options.limits, idleTimeout: 0 },
      conversations: site,
      rereads: site.auth?.file !== undefined,
      alpnProtocols: ALPN,
      stopped: "requests",
    },
    session,
    signals,
    { ...plan, name: MAIN, place },
  );
}

/**
 * The address that it listens at, its certificates, and the access list. What a flag needs is loaded
 * now, before the first client can come.
 */
async function planSite(options: WebOptions, session: Session) {
  const { place: asked, systemd, tls: choice } = options;
  const access = openAccess(options.access, session.log, (reload) => session.onReload(reload));
  const place = await placeToListen({ name: MAIN, place: asked, systemd }, session);
  const logLan = options.lan ? (await import("./lan.ts")).logLan : undefined;
  const announce = (addr: Addr) => announceSite(addr, options, session, logLan);
  if (choice === undefined || "path" in place) return { place, tls: undefined, access, announce };
  const { openTls } = await import("../../serving/tls.ts");
  const tls = await openTls(choice, "host" in place ? place.host : "", session);
  return { place, tls, access, announce };
}

/** Prints the URL, and logs other ways there: with `logLan` those for others in the network. */
async function announceSite(
  addr: Addr,
  options: WebOptions,
  session: Session,
  logLan: typeof import("./lan.ts").logLan | undefined,
): Promise<void> {
  const { log, io } = session;
  const { dir, open } = options;
  const scheme = options.tls === undefined ? "http" : "https";
  const url = siteUrl(addr, scheme);
  await session.announce(url);
  log.note(`serving ${dir === "." ? "the current directory" : dir}; Ctrl-C stops`);
  if ("port" in addr) logLan?.(log, options, addr.port, scheme);
  if (!open) return;
  openBrowser(url, io.env, (why) => log.note(`could not open the browser: ${why}`));
}
