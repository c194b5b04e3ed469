/**
 * Connecting to a WebSocket that takes bytes.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import { dialWebSocket } from "../../../http/ws/mod.ts";
import type { Conn, Transport } from "../../../net/transport.ts";
import { ByteConn } from "../../web_socket/byte_conn.ts";
import type { WebSocketPlace } from "./web_socket_target.ts";

/** Connects; `timeout` is for the connection and for the handshake. */
export async function dialBytes(
  { url, wss }: WebSocketPlace,
  transport: Transport,
  { timeout, signal, clock }: {
    readonly timeout: number;
    readonly signal: AbortSignal;
    readonly clock: Clock;
  },
): Promise<Conn> {
  const ws = await dialWebSocket(url, {
    transport,
    tls: wss,
    connectTimeout: timeout,
    handshakeTimeout: timeout,
    signal,
    clock,
  });
  return new ByteConn(ws, { clock, lingers: true });
}
