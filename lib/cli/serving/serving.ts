/**
 * The common part of servers: they listen, serve and stop.
 *
 * @module
 */

import type { AccessList } from "../../serve/access_list.ts";
import type { Clock } from "../../base/clock.ts";
import type { SocketError } from "../../base/errors.ts";
import { type Handler, serve, type ServeOptions, type ServeSummary } from "../../serve/serve.ts";
import type { Addr } from "../../base/addr.ts";
import type { CertificateStore } from "../../net/tls/certificate_store.ts";
import type { Listener, ListenOptions, Transport } from "../../net/transport.ts";
import type { Log } from "../io/log.ts";
import type { LimitOptions } from "../options/limits.ts";
import type { MetricsOptions } from "../options/metrics.ts";
import {
  describeListenAddress,
  type InheritedListenAddress,
  type ListenAddress,
} from "../options/listen_address.ts";
import type { ListeningOptions } from "../options/serving.ts";
import { openAccess } from "./access_reload.ts";
import { describeReach, urlOf } from "./own_addresses.ts";
import { connectionLimitNotice } from "./connection_limit_notice.ts";
import { conclude, logFailure, logStop } from "./server_log.ts";
import { handoverOf, type WantedListenAddress } from "./handover.ts";
import type { OpenedTls } from "./tls.ts";
import type { Session } from "../session.ts";
import type { Signals } from "../io/signals.ts";
import { serverTranscript } from "../io/transcript.ts";
import { openServerTransport } from "./resource_shortage.ts";

/** The listener of a server, and its access list. Undefined: everyone may connect. */
export interface Opened {
  readonly listener: Listener;
  readonly access: AccessList | undefined;
}

/** The protocol at a port, as its URL has it. */
export interface Spoken {
  /** The scheme without TLS; that of the address by default. */
  readonly plain?: string;
  /** The scheme with TLS. */
  readonly secure: string;
  /** The path after the address. */
  readonly path: string;
}

/** Bytes, of any protocol. */
const BYTES: Spoken = { secure: "tls", path: "" };

/**
 * Listens where the options say, and prints the URL. Rejects with a UsageError, a CliError or a
 * SocketError.
 */
export async function openListener(
  listen: ListeningOptions,
  session: Session,
  transport: Transport = openServerTransport(session, serverTranscript()),
  spoken: Spoken = BYTES,
): Promise<Opened> {
  return await listenAsPlanned(await planListening(listen, session), session, transport, spoken);
}

/** Listens, and prints the URL. */
export async function listenAsPlanned(
  { name, listenAddress, tls, access, announce }: Listening,
  session: Session,
  transport: Transport,
  spoken: Spoken = BYTES,
): Promise<Opened> {
  const options = withTls(listenAddress, tls?.certificates, access, session.log);
  const listening = transport.listen({ ...options, metrics: session.monitor?.metrics });
  const listener = await session.untilListening(listening);
  handoverOf(session).add(name, listener);
  await announce(listener.addr, spoken);
  return { listener, access };
}

/** The options with which a server listens. */
export interface Listening {
  /** The name of the socket among those of the server. */
  readonly name: string;
  /** Plain data: {@linkcode withTls} adds what is not. */
  readonly listenAddress: ListenAddress;
  /** Undefined: no TLS. */
  readonly tls: OpenedTls | undefined;
  /** The rules of who may connect. Undefined: everybody may. */
  readonly access: AccessList | undefined;
  /** Prints the URL at which it listens, and logs other ways to reach it. */
  announce(addr: Addr, spoken?: Spoken): Promise<void>;
}

/** The name of the socket of a server that has one. */
export const MAIN = "main";

/**
 * Chooses where the socket with this name listens: at the socket of the process that this one replaces,
 * else at the one that systemd passes, else where the options say.
 */
export async function addressToListen<P extends WantedListenAddress>(
  { name, listenAddress, systemd }: { name: string; listenAddress: P; systemd: boolean },
  session: Session,
): Promise<P | InheritedListenAddress> {
  const passed = systemd ? (await import("./systemd.ts")).openSystemd(session) : undefined;
  return await session.whileStarting(handoverOf(session).addressFor(name, passed ?? listenAddress));
}

/** Serves metrics from now on, if the options say so. Loads the web server first. */
export async function openMonitor(
  options: MetricsOptions | undefined,
  session: Session,
): Promise<void> {
  if (options === undefined) return;
  const { startMonitor } = await import("./metrics_server.ts");
  session.drainDelay = options.drainDelay;
  session.monitor = await startMonitor(options, session);
}

/**
 * Reads the files that say how to listen, and serves metrics. Rejects with a UsageError, a CliError or a
 * SocketError.
 */
export async function planListening(
  { listenAddress: asked, systemd, metrics, tls: choice, access: who }: ListeningOptions,
  session: Session,
): Promise<Listening> {
  const { log } = session;
  await openMonitor(metrics, session);
  const name = MAIN;
  const listenAddress = await addressToListen({ name, listenAddress: asked, systemd }, session);
  const access = openAccess(who, log, (reload) => session.onReload(reload));
  log.note(`starting up on ${describeListenAddress(listenAddress)}`);
  const announce = async (addr: Addr, spoken = BYTES) => {
    const scheme = choice === undefined ? spoken.plain ?? addr.transport : spoken.secure;
    if (addr.transport === "unix") return await session.announce(urlOf(addr));
    await session.announce(`${urlOf(addr, scheme)}${spoken.path}`);
    if (!("host" in listenAddress) || listenAddress.host !== "") return;
    for (const line of describeReach(addr.port, scheme)) log.note(line + spoken.path);
  };
  if ("path" in listenAddress || choice === undefined) {
    return { name, listenAddress, tls: undefined, access, announce };
  }
  const host = "host" in listenAddress ? listenAddress.host : "";
  const { openTls } = await import("./tls.ts");
  return { name, listenAddress, tls: await openTls(choice, host, session), access, announce };
}

/**
 * Has a listener speak TLS if there are certificates, keep out who may not connect, and `log` tell which
 * handshakes fail.
 */
export function withTls(
  options: ListenOptions,
  certificates: CertificateStore | undefined,
  access: AccessList | undefined,
  log: Log,
  alpnProtocols?: readonly string[],
): ListenOptions {
  if (certificates === undefined) return options;
  const onHandshakeError = (error: SocketError) => logFailure(error, log);
  const tls = { certificates, alpnProtocols, admission: access, onHandshakeError };
  return { ...options, tls } as ListenOptions;
}

/** Returns the options for the connections of a server. */
export function serveOptions(
  limits: LimitOptions,
  access: AccessList | undefined,
  log: Log,
  clock: Clock,
): ServeOptions {
  return {
    ...limits,
    onFull: connectionLimitNotice(limits.maxConnections, log, clock),
    admission: access,
    clock,
    onError: (error) => logFailure(error, log),
  };
}

/** Serves until a signal stops the server. Logs that; resolves to the exit code. */
export async function serveUntilStopped(
  opened: Opened,
  handler: Handler,
  limits: LimitOptions,
  session: Session,
  signals: Signals,
): Promise<number> {
  logStop("connections", limits.drainTimeout, session.log, signals);
  const summary = await serveAt(opened, handler, limits, session, signals);
  return conclude(summary, opened.access, session.log, signals);
}

/** Serves a listener until a signal says stop; resolves to what it has done. */
export async function serveAt(
  { listener, access }: Opened,
  handler: Handler,
  limits: LimitOptions,
  { log, io, monitor }: Session,
  { signal }: Signals,
): Promise<ServeSummary> {
  const options = serveOptions(limits, access, log, io.clock);
  return await serve(listener, handler, { ...options, signal, metrics: monitor?.metrics }).finished;
}
