/**
 * A connection that HTTP was left on, for another protocol (RFC 9110 section 7.8). Such connections are
 * many, and mostly idle: here is all that is kept of the engine meanwhile.
 *
 * @module
 */

import { SocketError } from "../../base/errors.ts";
import { settled } from "../../base/wait.ts";
import type { Conn } from "../../net/transport.ts";
import type { Handler } from "../../serve/serve.ts";
import type { HandlerContext } from "../../serve/server.ts";
import type { HttpSettings } from "./options.ts";
import type { Proxied } from "./proxied_requests.ts";
import type { Reports } from "./reports.ts";
import type { EngineRequest } from "./request.ts";

/** Another protocol that is spoken. It is an object, since a promise would be awaited when it is returned. */
export interface Spoken {
  /** Resolves when it has come to its end. */
  readonly end: Promise<void>;
}

/** The state that is kept for the end. */
export interface Kept {
  readonly conn: Conn;
  readonly request: EngineRequest;
  readonly onError: HttpSettings["onError"];
  readonly reports: Reports;
  /** The requests among which the client was counted. Undefined without a trusted proxy. */
  readonly proxied: Proxied | undefined;
}

/** Whether it is a connection that failed, and nothing else. */
export function isErrorOf(conn: Conn, error: unknown): boolean {
  return error instanceof SocketError && error.addr === conn.remoteAddr;
}

/** Calls `handler`; `rest` is the connection with what was received already. */
export function speak(
  handler: Handler,
  rest: Conn,
  context: HandlerContext,
  { conn, request, onError, reports, proxied }: Kept,
): Spoken {
  const before = conn.bytesWritten;
  const ended = (complete: boolean) => {
    reports.end(request, 101, conn.bytesWritten - before, complete);
    // Received bytes that were not read are dropped.
    rest.close();
    proxied?.leave(request);
  };
  // Not an async function: its frame would keep the handler, and what that was made of.
  const end = settled(handler, rest, context).then(() => ended(true), (error) => {
    if (!isErrorOf(conn, error)) {
      onError(error, request);
      conn.reset();
    }
    ended(false);
  });
  return { end };
}
