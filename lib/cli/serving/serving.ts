/**
 * What the servers have in common: where they listen, whom they serve and for how long, and how they
 * stop.
 *
 * @module
 */

import type { AccessList } from "../../serve/access.ts";
import { asksForTls } from "../../net/option_kinds.ts";
import type { Clock } from "../../base/clock.ts";
import { type Handler, serve, type ServeOptions } from "../../serve/serve.ts";
import type { Addr } from "../../base/addr.ts";
import type { Listener, ListenOptions, Transport } from "../../net/transport.ts";
import type { WorkerListenOptions } from "../../workers/protocol.ts";
import { ACCESS_FLAGS, type AccessFlags, openAccess, shareOf } from "../options/access.ts";
import { type Flag, integer, seconds, type Values } from "../io/flags.ts";
import type { Log } from "../io/log.ts";
import {
  describePlace,
  describeReach,
  type PlaceFlags,
  placeFlags,
  placeOf,
  urlOf,
} from "./place.ts";
import { conclude, tellFailure, tellStop } from "./tell.ts";
import { handshakeCallbacks, TLS_FLAGS, type TlsFlags, tlsServerOptions, wantsTls } from "./tls.ts";
import type { Session } from "../session.ts";
import type { Signals } from "../io/signals.ts";
import { serverTranscript } from "../io/transcript.ts";
import { openServerTransport } from "./shortage.ts";

/** The flags of whom a server serves, and for how long. */
export const LIMIT_FLAGS: {
  readonly "max-connections": Flag<number>;
  readonly "idle-timeout": Flag<number>;
  readonly grace: Flag<number>;
} = {
  "max-connections": integer("N", [1, 1e6], 1024, "conversations at once (default 1024)"),
  "idle-timeout": seconds(300, "close a silent connection; 0 = never (default 300)"),
  grace: seconds(10, "time to finish after Ctrl-C or SIGTERM (default 10)"),
};

/** What these flags say. */
export type LimitFlags = Values<typeof LIMIT_FLAGS>;

/** The flags of a server that listens on `port` of localhost by default. */
export function servingFlags(
  port: number,
): ReturnType<typeof placeFlags> & typeof TLS_FLAGS & typeof ACCESS_FLAGS & typeof LIMIT_FLAGS {
  return { ...placeFlags(port), ...TLS_FLAGS, ...ACCESS_FLAGS, ...LIMIT_FLAGS };
}

/** What the flags of {@linkcode servingFlags} say. */
export type ServingFlags = PlaceFlags & TlsFlags & AccessFlags & LimitFlags;

/** Where a server listens, and who may connect; all if that is undefined. */
export interface Opened {
  readonly listener: Listener;
  readonly access: AccessList | undefined;
}

/**
 * Listens where the flags say, on `defaultPort` unless they say another, and prints the URL. Rejects
 * with a UsageError, a CliError or a SocketError.
 */
export async function openListener(
  flags: ServingFlags,
  defaultPort: number,
  session: Session,
  transport: Transport = openServerTransport(session, serverTranscript()),
): Promise<Opened> {
  const { options, access, announce } = await planListening(flags, defaultPort, session);
  const listening = transport.listen(withCallbacks(options, access, session.log));
  const listener = await session.untilListening(listening);
  await announce(listener.addr);
  return { listener, access };
}

/** What a server is to listen with. */
export interface Listening {
  /** Plain data: {@linkcode withCallbacks} adds what is not. */
  readonly options: WorkerListenOptions;
  /** Who may connect; all if it is undefined. */
  readonly access: AccessList | undefined;
  /** Prints the URL of where it listens, and tells of other ways there. */
  announce(addr: Addr): Promise<void>;
}

/** Reads off the flags where to listen. Rejects with a UsageError or a CliError. */
export async function planListening(
  flags: ServingFlags,
  defaultPort: number,
  session: Session,
): Promise<Listening> {
  const { log } = session;
  const secure = wantsTls(flags);
  const place = placeOf(flags, defaultPort, secure);
  const share = shareOf(flags.host, flags["max-connections"]);
  const access = openAccess(flags, log, (reload) => session.onReload(reload), share);
  log.note(`starting up on ${describePlace(place)}`);
  const announce = async (addr: Addr) => {
    const scheme = secure ? "tls" : addr.transport;
    await session.print(`${urlOf(addr, scheme)}\n`);
    if (addr.transport === "unix" || !("host" in place) || place.host !== "") return;
    for (const line of describeReach(addr.port, scheme)) log.note(line);
  };
  if ("path" in place || !secure) return { options: place, access, announce };
  const tls = await tlsServerOptions(flags, place.host, log);
  return { options: { ...place, tls }, access, announce };
}

/** Has TLS, if that is spoken, keep out who may not connect, and `log` tell which handshakes fail. */
export function withCallbacks(
  options: ListenOptions,
  access: AccessList | undefined,
  log: Log,
): ListenOptions {
  if (!asksForTls(options)) return options;
  return { ...options, tls: { ...options.tls, ...handshakeCallbacks(access, log) } };
}

/** How conversations are held, as the flags say. */
export function conversationOptions(
  flags: LimitFlags,
  access: AccessList | undefined,
  log: Log,
  clock: Clock,
): ServeOptions {
  return {
    maxConnections: flags["max-connections"],
    admission: access,
    idleTimeout: flags["idle-timeout"],
    drainTimeout: flags.grace,
    clock,
    onError: (error) => tellFailure(error, log),
  };
}

/** Serves until a signal says stop; resolves to the exit code. */
export async function serveUntilStopped(
  { listener, access }: Opened,
  handler: Handler,
  flags: LimitFlags,
  { log, io }: Session,
  signals: Signals,
): Promise<number> {
  tellStop("conversations", flags.grace, log, signals);
  const options = conversationOptions(flags, access, log, io.clock);
  const server = serve(listener, handler, { ...options, signal: signals.signal });
  return conclude(await server.finished, access, log, signals);
}
