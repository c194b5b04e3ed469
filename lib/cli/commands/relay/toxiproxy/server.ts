/**
 * `relay --toxiproxy-api PORT`: the server of toxiproxy's API, and its proxies.
 *
 * @module
 */

import { formatAddr } from "../../../../base/addr.ts";
import { systemTransport } from "../../../../net/system.deno.ts";
import type { Transport } from "../../../../net/transport.ts";
import { serveLight } from "../../../../http/server/server.ts";
import type { AccessList } from "../../../../serve/access_list.ts";
import type { ServeSummary } from "../../../../serve/serve.ts";
import type { Signals } from "../../../io/signals.ts";
import type { LimitOptions } from "../../../options/limits.ts";
import { localProgramsOnly } from "../../../serving/local_programs_only.ts";
import { serveOptions } from "../../../serving/serving.ts";
import { Shortage } from "../../../serving/resource_shortage.ts";
import { logMistake } from "../../../serving/server_log.ts";
import type { Session } from "../../../session.ts";
import { relayHandler } from "../handler.ts";
import { toxiproxyApi } from "./api.ts";
import { Proxies } from "./proxies.ts";

/** The most clients of the API at once. */
const MAX_CLIENTS = 100;

/** Options of the API and its proxies. */
export interface ToxiproxyOptions {
  /** The port of the API on 127.0.0.1. */
  readonly port: number;
  /** The seed of the chances that connections have toxics. */
  readonly seed: number;
  readonly limits: LimitOptions;
  /** The time to connect to an upstream, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number;
}

/** The context of the proxies. */
export interface ToxiproxyContext {
  readonly session: Session;
  readonly signals: Signals;
  /** Reaches the upstreams. */
  readonly transport: Transport;
  /** The transport that the proxies listen with. */
  readonly listening: Transport;
  /** The access list of the proxies. */
  readonly access: AccessList | undefined;
}

/** Starts the API; resolves to what waits for its end, and that of the proxies. */
export async function startToxiproxy(
  { port, seed, limits, connectTimeout }: ToxiproxyOptions,
  { session, signals, transport, listening, access }: ToxiproxyContext,
): Promise<{ readonly finished: Promise<ServeSummary> }> {
  const { log, io: { clock } } = session;
  const { signal } = signals;
  const proxies = new Proxies({
    transport: listening,
    seed,
    serving: { ...serveOptions(limits, access, log, clock), signal },
    handlerTo: (target) => relayHandler({ target, connectTimeout }, log, transport, clock),
  });
  // Connections to the API are not recorded and have no faults.
  const own = new Shortage(log, clock).watch(systemTransport);
  const listener = await session.untilListening(own.listen({ host: "127.0.0.1", port }));
  log.note(`toxiproxy's API, with --seed ${seed}`);
  await session.print(`http://${formatAddr(listener.addr)}/\n`);
  const server = serveLight(listener, localProgramsOnly(toxiproxyApi(proxies, log)), {
    signal,
    clock,
    maxConnections: MAX_CLIENTS,
    drainTimeout: limits.drainTimeout,
    onError: (error) => logMistake(error, log, "toxiproxy: "),
  });
  return { finished: server.finished.then(() => proxies.finished()) };
}
