/**
 * The work of `server.ts web`: serving a directory.
 *
 * @module
 */

import type { Addr } from "../../../base/addr.ts";
import { systemTransport } from "../../../net/system.deno.ts";
import type { ListenOptions } from "../../../net/transport.ts";
import { openBrowser } from "../../io/browser.ts";
import type { Signals } from "../../io/signals.ts";
import { openTransport } from "../../options/transport.ts";
import { openAccess } from "../../serving/access_reload.ts";
import { connectionLimitNotice } from "../../serving/connection_limit_notice.ts";
import { handoverOf } from "../../serving/handover.ts";
import { addressToListen, MAIN, openMonitor, withTls } from "../../serving/serving.ts";
import { Shortage } from "../../serving/resource_shortage.ts";
import { conclude, logStop } from "../../serving/server_log.ts";
import type { Session } from "../../session.ts";
import { checkDirectory } from "./check_directory.ts";
import { findPort, listenForWeb, siteUrl, type WebAddress } from "./listen.ts";
import type { WebOptions } from "./options.ts";
import { serveSite, type Site } from "./serve_site.ts";
import { SITE_SHOWN, webTranscript } from "./transcript.ts";
import { followFile } from "./users.ts";

/** The protocols over TLS. */
const ALPN = ["http/1.1"];

/** Serves until a signal says stop; resolves to the exit code. */
export async function runWeb(options: WebOptions, session: Session): Promise<number> {
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
  const { listenAddress, tls, access, announce } = await planSite(options, session);
  const secured = withTls(listenAddress as ListenOptions, tls?.certificates, access, log, ALPN);
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
  const listenAddress = await findPort(
    systemTransport,
    plan.listenAddress,
    (text) => session.log.note(text),
  );
  return await serveInWorkers(
    {
      ...options,
      listenAddress,
      module: WORKER_MODULE,
      workers: options.workers!,
      // Each phase of a connection has its own deadline.
      limits: { ...options.limits, idleTimeout: 0 },
      handlerOptions: site,
      rereads: site.auth?.file !== undefined,
      alpnProtocols: ALPN,
      stopped: "requests",
    },
    session,
    signals,
    { ...plan, name: MAIN, listenAddress },
  );
}

/**
 * The address that it listens at, its certificates, and the access list. What a flag needs is loaded
 * now, before the first client can come.
 */
async function planSite(options: WebOptions, session: Session) {
  const { listenAddress: asked, systemd, tls: choice } = options;
  const access = openAccess(options.access, session.log, (reload) => session.onReload(reload));
  const listenAddress = await addressToListen(
    { name: MAIN, listenAddress: asked, systemd },
    session,
  );
  const logLan = options.lan ? (await import("./lan.ts")).logLan : undefined;
  const announce = (addr: Addr) => announceSite(addr, options, session, logLan);
  if (choice === undefined || "path" in listenAddress) {
    return { listenAddress, tls: undefined, access, announce };
  }
  const { openTls } = await import("../../serving/tls.ts");
  const tls = await openTls(choice, "host" in listenAddress ? listenAddress.host : "", session);
  return { listenAddress, tls, access, announce };
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
