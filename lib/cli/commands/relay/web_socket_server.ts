/**
 * `relay --ws`: clients that speak WebSocket, here or in workers.
 *
 * @module
 */

import type { Transport } from "../../../net/transport.ts";
import type { Signals } from "../../io/signals.ts";
import type { ServingOptions } from "../../options/serving.ts";
import { openListener } from "../../serving/serving.ts";
import type { WorkersInit } from "../../serving/workers.ts";
import type { Session } from "../../session.ts";
import { WEB_SOCKETS } from "../../web_socket/options.ts";
import { serveWebSockets } from "../../web_socket/serving.ts";
import { describeTo } from "./targets.ts";
import { type WebSocketRelay, webSocketRelayHandler } from "./web_socket_handler.ts";

/** Options of {@linkcode relayWebSockets}. */
export interface WebSocketContext {
  readonly session: Session;
  readonly signals: Signals;
  /** Reaches the target. */
  readonly transport: Transport;
  /** The transport that it listens on. */
  readonly listening: Transport;
}

/** Serves until a signal says stop; resolves to the exit code. */
export async function relayWebSockets(
  relay: WebSocketRelay,
  serving: ServingOptions,
  { session, signals, transport, listening }: WebSocketContext,
): Promise<number> {
  const { log, io: { clock } } = session;
  const opened = await openListener(serving, session, listening, WEB_SOCKETS);
  log.note(`relaying to ${describeTo(relay.to)}`);
  const context = { log, transport, clock, life: session };
  const { trustProxy } = relay.messages;
  const handler = await webSocketRelayHandler(relay, signals.signal, context);
  return await serveWebSockets(
    { ...opened, trustProxy },
    handler,
    serving.limits,
    session,
    signals,
  );
}

/** The same in workers. */
export async function relayInWorkers(
  relay: WebSocketRelay,
  init: Omit<WorkersInit<WebSocketRelay>, "module" | "handlerOptions" | "spoken" | "stopped">,
  session: Session,
  signals: Signals,
): Promise<number> {
  const { serveInWorkers } = await import("../../serving/workers.ts");
  const { WORKER_MODULE } = await import("./web_socket_worker.ts");
  const more = { module: WORKER_MODULE, spoken: WEB_SOCKETS, stopped: "webSockets" } as const;
  return await serveInWorkers({ ...init, handlerOptions: relay, ...more }, session, signals);
}
