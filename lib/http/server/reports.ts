/**
 * Reports the requests of one connection to {@linkcode HttpOptions.onResponse}.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Addr } from "../../base/addr.ts";
import type { HttpError } from "../message/errors.ts";
import type { HttpSettings } from "./options.ts";
import type { EngineRequest } from "./request.ts";

/** See the module. */
export class Reports {
  readonly #onResponse: HttpSettings["onResponse"];
  readonly #clock: Clock;
  readonly #peer: { readonly remoteAddr: Addr };
  /** When the last request had come. */
  #started = 0;

  /** The address of `peer` is asked for with each report: on Deno, to make it costs something. */
  constructor(settings: HttpSettings, peer: { readonly remoteAddr: Addr }) {
    this.#onResponse = settings.onResponse;
    this.#clock = settings.clock;
    this.#peer = peer;
  }

  /** A request has come. */
  begin(): void {
    if (this.#onResponse !== undefined) this.#started = this.#clock.now();
  }

  /** So much of a response was sent to a request, or to what was none; `error` is why it was refused. */
  end(
    request: EngineRequest | undefined,
    status: number,
    bytes: number,
    complete: boolean,
    error?: HttpError,
  ): void {
    if (this.#onResponse === undefined) return;
    const duration = request === undefined ? 0 : this.#clock.now() - this.#started;
    const { remoteAddr } = this.#peer;
    this.#onResponse({ request, remoteAddr, status, bytes, complete, duration, error });
  }
}
