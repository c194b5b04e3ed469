/**
 * `relay --ws`: clients that speak WebSocket, whose messages are the bytes of the target.
 *
 * @module
 */

import type { WsConn } from "../../../http/ws/mod.ts";
import type { Transport } from "../../../net/transport.ts";
import type { Signals } from "../../io/signals.ts";
import type { ServingOptions } from "../../options/serving.ts";
import { openListener } from "../../serving/serving.ts";
import type { Session } from "../../session.ts";
import { ByteConn } from "../web_socket/byte_conn.ts";
import type { OriginOptions } from "../web_socket/options.ts";
import { serveWebSockets, WEB_SOCKETS, webSocketHandler } from "../web_socket/serving.ts";
import { handlerTo } from "./handler.ts";
import { describeTo, type RelayTo } from "./targets.ts";

/** How long a target gets to end once its client has closed. */
const LINGER_MS = 5000;

/** What {@linkcode relayWebSockets} takes. */
export interface WebSocketRelay {
  readonly to: RelayTo;
  readonly origins: OriginOptions;
  readonly serving: ServingOptions;
}

/** What it uses. */
export interface WebSocketContext {
  readonly session: Session;
  readonly signals: Signals;
  /** Reaches the target. */
  readonly transport: Transport;
  /** What it listens with. */
  readonly listening: Transport;
}

/** Serves until a signal says stop; resolves to the exit code. */
export async function relayWebSockets(
  { to, origins, serving }: WebSocketRelay,
  { session, signals, transport, listening }: WebSocketContext,
): Promise<number> {
  const { log, io: { clock } } = session;
  const opened = await openListener(serving, session, listening, WEB_SOCKETS);
  log.note(`relaying to ${describeTo(to)}`);
  const relay = handlerTo(to, log, transport, clock, session);
  const hold = async (ws: WsConn) => {
    const over = new AbortController();
    let cancel = () => {};
    // FIN tells the target that the client has gone. One that goes on all the same is reset.
    void ws.closed.then(() => cancel = clock.setTimer(LINGER_MS, () => over.abort()));
    const stopping = AbortSignal.any([signals.signal, over.signal]);
    await relay(new ByteConn(ws), { signal: over.signal, stopping });
    cancel();
  };
  // Clients of websockify ask for this one, and browsers give up if they do not get it.
  const handler = webSocketHandler(hold, origins, session, { protocols: ["binary"] });
  return await serveWebSockets(opened, handler, serving.limits, session, signals);
}
