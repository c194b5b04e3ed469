/**
 * The work of `server.ts relay`: joining each client to a target.
 *
 * @module
 */

import { systemTransport } from "../../../net/system.deno.ts";
import { handlerTo } from "./handler.ts";
import { refuseItself } from "./own_target.ts";
import { describeTo, placesOf, readsTargets } from "./targets.ts";
import type { ToxiproxyContext, ToxiproxyOptions } from "./toxiproxy/server.ts";
import type { ServingOptions } from "../../options/serving.ts";
import { openAccess } from "../../serving/access_reload.ts";
import { openListener, serveUntilStopped } from "../../serving/serving.ts";
import { Shortage } from "../../serving/resource_shortage.ts";
import { conclude, logStop } from "../../serving/server_log.ts";
import { openObserved } from "../../options/transport.ts";
import type { Session } from "../../session.ts";
import { switchboardTranscript } from "../../io/transcript.ts";
import type { RelayOptions } from "./options.ts";

/** Relays until a signal says stop; resolves to the exit code. */
export async function runRelay(
  { to, messages, toxiproxy, serving, workers, ...options }: RelayOptions,
  session: Session,
): Promise<number> {
  const { log, io: { clock } } = session;
  for (const target of to === undefined ? [] : placesOf(to)) {
    await refuseItself(serving.listenAddress, target, systemTransport);
  }
  const signals = session.onSignals();
  if (to !== undefined && workers !== undefined) {
    log.note(`relaying to ${describeTo(to)}`);
    const init = { ...serving, workers, log: options.log, rereads: readsTargets(to) };
    if (messages !== undefined) {
      const { relayInWorkers } = await import("./web_socket_server.ts");
      return await relayInWorkers({ to, messages }, init, session, signals);
    }
    const { serveInWorkers } = await import("../../serving/workers.ts");
    const { WORKER_MODULE } = await import("./worker.ts");
    const more = { module: WORKER_MODULE, handlerOptions: to };
    return await serveInWorkers({ ...init, ...more }, session, signals);
  }
  // Faults are for the clients: the target is the other end of the same stream.
  const transport = new Shortage(log, clock).watch(
    openObserved(session, switchboardTranscript(), {
      words: { sides: ["client", "relay", "target"] },
    }),
  );
  const listening = session.instruments.withFaults(transport, clock);
  const context = { session, signals, transport, listening };
  if (to === undefined) return await serveToxiproxy(toxiproxy!, serving, context);
  if (messages !== undefined) {
    const { relayWebSockets } = await import("./web_socket_server.ts");
    return await relayWebSockets({ to, messages }, serving, context);
  }
  const opened = await openListener(serving, session, listening);
  log.note(`relaying to ${describeTo(to)}`);
  const proxies = toxiproxy && await start(toxiproxy, { ...context, access: opened.access });
  const handler = await handlerTo(to, log, transport, clock, session);
  const code = await serveUntilStopped(opened, handler, serving.limits, session, signals);
  await proxies?.finished;
  return code;
}

/** Serves what the API asks for, and nothing else, until a signal says stop. */
async function serveToxiproxy(
  toxiproxy: ToxiproxyOptions,
  { access: who, limits }: ServingOptions,
  context: Omit<ToxiproxyContext, "access">,
): Promise<number> {
  const { session, signals } = context;
  const access = openAccess(who, session.log, (reload) => session.onReload(reload));
  const { finished } = await start(toxiproxy, { ...context, access });
  logStop("connections", limits.drainTimeout, session.log, signals);
  return conclude(await finished, access, session.log, signals);
}

/** Starts the API, which is loaded only then. */
async function start(
  options: ToxiproxyOptions,
  context: ToxiproxyContext,
): ReturnType<typeof import("./toxiproxy/server.ts").startToxiproxy> {
  const { startToxiproxy } = await import("./toxiproxy/server.ts");
  return await startToxiproxy(options, context);
}
