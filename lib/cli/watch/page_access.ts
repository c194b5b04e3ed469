/**
 * Access to the live page: for those who have its URL, on this machine. People see there what their
 * programs say, so no other page and no other user may read it.
 *
 * @module
 */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { LightRequest, LightResponse } from "../../http/server/light.ts";
import { refuse } from "../pages/safe_response.ts";

/** Makes a token that nobody guesses. */
export function newToken(): string {
  return randomBytes(16).toString("base64url");
}

/**
 * The refusal of a request that is not from the page itself: to another host than this one's, which a
 * name of another site may lead to, or from another site. Undefined if it is let through.
 */
export function refuseForeign(request: LightRequest): LightResponse | undefined {
  const { localAddr, host } = request;
  const port = "port" in localAddr ? localAddr.port : 0;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(host.toLowerCase())) {
    return refuse(421, `This page is only at http://127.0.0.1:${port}/.`);
  }
  const origin = request.header("origin");
  const site = request.header("sec-fetch-site") ?? "none";
  const isOwn = origin === undefined || origin === `http://${host}`;
  if (isOwn && (site === "none" || site === "same-origin")) return undefined;
  // A link on another page may lead here, but nothing of that page reads what it finds.
  if (isOwn && request.header("sec-fetch-mode") === "navigate") return undefined;
  return refuse(403, "This page answers no other site. Open its URL in a tab of its own.");
}

/** Checks tokens against one, in a time that tells nothing of it. */
export function tokenCheck(token: string): (given: string | null) => boolean {
  const digestOf = (text: string) => createHash("sha256").update(text).digest();
  const digest = digestOf(token);
  return (given) => timingSafeEqual(digestOf(given ?? ""), digest);
}
