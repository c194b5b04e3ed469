/**
 * Failures that pass, and the time to wait for that.
 *
 * @module
 */

import { Backoff } from "../../../base/backoff.ts";
import type { SocketErrorCode } from "../../../base/error_codes.ts";
import { SocketError } from "../../../base/errors.ts";
import type { ClientResponse } from "../../../http/client/response.ts";
import { REQUEST_ERRORS, RequestError } from "../../../http/client/errors.ts";

const PASSING: ReadonlySet<SocketErrorCode> = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
]);

/** Longer than this nobody waits who has not been asked. */
const MOST_WAIT = 3_600_000;

/** A response that says to try again later. */
export class TryLater extends Error {
  /** Always `"TryLater"`. */
  override readonly name = "TryLater";
  /** Milliseconds that the server asks for; undefined if it does not. */
  readonly wait: number | undefined;

  constructor(message: string, wait: number | undefined) {
    super(message);
    this.wait = wait;
  }
}

/** Whether a response says that it may be another one the next time. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** The waits before retries: a second at first, a minute at most. */
export function retryBackoff(): Backoff {
  return new Backoff(1000, 60_000);
}

/**
 * Milliseconds to wait after an error: what the server asks for, else what `backoff` says. Undefined
 * if another try is pointless, or too far off.
 */
export function waitAfter(error: unknown, backoff: Backoff): number | undefined {
  if (!passes(error)) return undefined;
  const wait = backoff.next();
  const asked = error instanceof TryLater ? error.wait : undefined;
  if (asked === undefined) return wait;
  return asked <= MOST_WAIT ? asked : undefined;
}

function passes(error: unknown): boolean {
  if (error instanceof SocketError) return PASSING.has(error.code);
  if (error instanceof RequestError) {
    return error.code === "PARTIAL" || error.code === "EMPTY_RESPONSE";
  }
  return error instanceof TryLater;
}

/** The message of an error without the advice to try again, for use before the next try. */
export function failureOf(error: Error): string {
  const { message } = error;
  if (!(error instanceof RequestError)) return message;
  return message.replace(` ${REQUEST_ERRORS[error.code]}`, "");
}

/** Returns the delay of Retry-After in milliseconds (RFC 9110 section 10.2.3). */
export function retryAfter(response: ClientResponse): number | undefined {
  const value = response.headers.get("retry-after") ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
