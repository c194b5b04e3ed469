/**
 * The requests of a connection that comes from a trusted proxy: each has a client of its own.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import { HttpError } from "../message/errors.ts";
import type { Conn } from "../../net/transport.ts";
import type { ParsedHead } from "./head_memory.ts";
import type { LightRequest, LightResponse } from "./light.ts";
import type { HttpSettings } from "./options.ts";
import type { OuterEnd, TrustedProxies } from "./trusted_proxies.ts";

/** The response to a client that may not connect. */
export const NOT_ADMITTED: LightResponse = {
  status: 403,
  headers: ["Content-Type", "text/plain;charset=utf-8"],
  body: "You may not connect to this server.\n",
};

/** See the module. */
export class Proxied {
  readonly #proxies: TrustedProxies;
  readonly #admission: HttpSettings["admission"];
  readonly #inner: Omit<OuterEnd, "host">;

  private constructor(
    proxies: TrustedProxies,
    { admission }: HttpSettings,
    inner: Omit<OuterEnd, "host">,
  ) {
    this.#proxies = proxies;
    this.#admission = admission;
    this.#inner = inner;
  }

  /** Undefined of a connection that does not come from a trusted proxy. */
  static of(
    { remoteAddr }: Conn,
    scheme: "http" | "https",
    settings: HttpSettings,
  ): Proxied | undefined {
    const { proxies } = settings;
    if (proxies?.has(remoteAddr) !== true) return undefined;
    return new Proxied(proxies, settings, { remoteAddr, scheme });
  }

  /** The client's end of a request, or why it is not said in a valid way. */
  outerOf({ head: { headers }, framing: { host } }: ParsedHead): OuterEnd | HttpError {
    try {
      return this.#proxies.outerOf(headers, { ...this.#inner, host });
    } catch (error) {
      if (error instanceof HttpError) return error;
      throw error;
    }
  }

  /** Whether the client of a request may have it answered. */
  admits(request: LightRequest): boolean {
    if (!this.enter(request)) return false;
    this.leave(request);
    return true;
  }

  /** Counts a client that takes the connection over. Returns false if it may not. */
  enter({ remoteAddr }: LightRequest): boolean {
    return this.#isPeer(remoteAddr) || this.#admission?.admit(remoteAddr) !== false;
  }

  /** A client that has entered is done. */
  leave({ remoteAddr }: LightRequest): void {
    if (!this.#isPeer(remoteAddr)) this.#admission?.release(remoteAddr);
  }

  /** The proxy itself was admitted as it connected. */
  #isPeer(remoteAddr: Addr): boolean {
    return remoteAddr === this.#inner.remoteAddr;
  }
}
