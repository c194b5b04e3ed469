/**
 * The handler of `relay --ws`: clients speak WebSocket, and their messages are the bytes of the target.
 *
 * @module
 */

import type { LightHandler } from "../../../http/server/light.ts";
import type { WsConn } from "../../../http/ws/mod.ts";
import type { WorkerContext } from "../../serving/worker_main.ts";
import { ByteConn } from "../../web_socket/byte_conn.ts";
import type { MessageOptions } from "../../web_socket/options.ts";
import { webSocketHandler } from "../../web_socket/serving.ts";
import { handlerTo } from "./handler.ts";
import type { RelayTo } from "./targets.ts";

/** How long a target gets to end once its client has closed. */
const LINGER_MS = 5000;

/** Options of the handler. Plain data, which workers get, too. */
export interface WebSocketRelay {
  readonly to: RelayTo;
  readonly messages: MessageOptions;
}

/** Makes the handler of requests. `signal` is aborted when the server stops. */
export async function webSocketRelayHandler(
  { to, messages }: WebSocketRelay,
  signal: AbortSignal,
  { log, transport, clock, life }: WorkerContext,
): Promise<LightHandler> {
  const relay = await handlerTo(to, log, transport, clock, life);
  const hold = async (ws: WsConn) => {
    const over = new AbortController();
    let cancel = () => {};
    // FIN tells the target that the client has gone. One that goes on all the same is reset.
    void ws.closed.then(() => cancel = clock.setTimer(LINGER_MS, () => over.abort()));
    await relay(new ByteConn(ws, { clock }), { signal: over.signal, stopping: signal });
    cancel();
  };
  // Clients of websockify ask for this one, and browsers give up if they do not get it.
  return webSocketHandler(hold, messages, { log, clock }, { protocols: ["binary"] });
}
