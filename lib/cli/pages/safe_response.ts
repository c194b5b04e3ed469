/**
 * Responses of the pages that programs serve: nothing in them runs that is not the page's own.
 *
 * @module
 */

import type { LightResponse } from "../../http/server/light.ts";

/**
 * Header fields of every response: nothing of it runs, is framed, sniffed, stored or sent to other
 * sites.
 */
const SAFE: readonly string[] = [
  "X-Content-Type-Options",
  "nosniff",
  "Referrer-Policy",
  "no-referrer",
  "Cache-Control",
  "no-store",
  "Cross-Origin-Resource-Policy",
  "same-origin",
  "Cross-Origin-Opener-Policy",
  "same-origin",
];

/** The page runs its own modules and nothing else; no text becomes HTML. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";

/** Makes a response with the fields that keep it safe. */
export function safe(
  status: number,
  type: string,
  body: LightResponse["body"],
  more: readonly string[] = [],
): LightResponse {
  const headers = ["Content-Type", type, "Content-Security-Policy", POLICY, ...SAFE, ...more];
  return { status, headers, body };
}

/** Refuses, in a line of text. */
export function refuse(status: number, why: string, more?: readonly string[]): LightResponse {
  return safe(status, "text/plain;charset=utf-8", `${why}\n`, more);
}
