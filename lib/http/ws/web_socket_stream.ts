/**
 * A WebSocket as two streams, in the shape of the browsers' `WebSocketStream`.
 *
 * @module
 */

import type { WsMessage } from "./assembler.ts";
import { checkClose, CLOSE, cutReason, isUserCode } from "./close_code.ts";
import { WsError } from "./error.ts";
import type { WsConn } from "./conn_types.ts";

/** An open WebSocket as streams. */
export interface WsStreamOpen {
  /**
   * The messages that come, each read when it is asked for. Cancelling closes, with the `closeCode` and the
   * `reason` of an error that has a code from 3000 to 4999; else with 1000.
   */
  readonly readable: ReadableStream<WsMessage>;
  /**
   * Takes messages to send, each when the kernel has taken the one before. Closing it closes, and so does
   * aborting, with a code as in `readable`.
   */
  readonly writable: WritableStream<WsMessage>;
  /** The subprotocol that was agreed on; "" without one. */
  readonly protocol: string;
  /** The extensions that were agreed on. */
  readonly extensions: string;
}

/** How a WebSocket is closed, or was. */
export interface WsStreamClose {
  /** The code. */
  readonly closeCode?: number;
  /** The reason. */
  readonly reason?: string;
}

/** The result of {@linkcode asWebSocketStream}: the interface of the browsers' `WebSocketStream`. */
export interface WsStream {
  /** Resolves when it is open; rejects if that fails. */
  readonly opened: Promise<WsStreamOpen>;
  /** Resolves when it is closed; rejects with a {@linkcode WsError} if it was not in good order. */
  readonly closed: Promise<Required<WsStreamClose>>;
  /** Closes. Default of `closeCode`: 1000. Throws a `RangeError` for what no Close frame may have. */
  close(close?: WsStreamClose): void;
}

/**
 * Makes streams of a WebSocket, with back-pressure both ways.
 *
 * @example
 * ```ts
 * import { asWebSocketStream, dialWebSocket } from "@plainsocket/plainsocket/websocket";
 *
 * async function shout(url: string): Promise<void> {
 *   const { opened, closed } = asWebSocketStream(dialWebSocket(url));
 *   const { readable, writable } = await opened;
 *   const upper = new TransformStream<string | Uint8Array, string>({
 *     transform: (message, controller) => controller.enqueue(String(message).toUpperCase()),
 *   });
 *   await readable.pipeThrough(upper).pipeTo(writable);
 *   console.log((await closed).closeCode);
 * }
 * console.log(shout.name);
 * ```
 */
export function asWebSocketStream(ws: WsConn | Promise<WsConn>): WsStream {
  const opening = Promise.resolve(ws);
  const opened = opening.then(openStreams);
  const closed = opening.then(howClosed);
  // A caller may wait for one of them only.
  for (const promise of [opened, closed]) promise.catch(() => {});
  return {
    opened,
    closed,
    close({ closeCode = CLOSE.normal, reason = "" } = {}) {
      checkClose(closeCode, reason);
      void opening.then((ws) => ws.close(closeCode, reason), () => {});
    },
  };
}

async function howClosed(ws: WsConn): Promise<Required<WsStreamClose>> {
  const { code, reason, clean } = await ws.closed;
  if (!clean) throw new WsError(code, reason || "it was not closed in good order");
  return { closeCode: code, reason };
}

function openStreams(ws: WsConn): WsStreamOpen {
  const readable = new ReadableStream<WsMessage>({
    async pull(controller) {
      const message = await ws.read();
      if (message === null) controller.close();
      else controller.enqueue(message);
    },
    cancel: (reason) => closeWith(ws, reason),
  }, { highWaterMark: 0 });
  const writable = new WritableStream<WsMessage>({
    start(controller) {
      // The types of Node have no signal.
      const { signal } = controller as typeof controller & { readonly signal: AbortSignal };
      // A write that the peer holds back ends with the WebSocket.
      signal.addEventListener("abort", () => void closeWith(ws, signal.reason));
    },
    write: (message) => ws.write(message),
    close: () => ws.close(),
    abort: (reason) => closeWith(ws, reason),
  });
  return { readable, writable, protocol: ws.protocol, extensions: ws.extensions };
}

/** Closes with the code (3000 to 4999) and reason of an error that has them, otherwise with 1000. */
function closeWith(ws: WsConn, error: unknown): Promise<void> {
  const { closeCode, reason } = (error ?? {}) as { closeCode?: unknown; reason?: unknown };
  if (!isUserCode(closeCode)) return ws.close();
  return ws.close(closeCode, typeof reason === "string" ? cutReason(reason) : "");
}
