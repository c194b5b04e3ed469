/**
 * Reports the requests of one connection to {@linkcode HttpOptions.onReply}.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import type { HttpSettings } from "./options.ts";
import type { EngineRequest } from "./request.ts";

/** See the module. */
export class Reports {
  readonly #settings: HttpSettings;
  readonly #peer: { readonly remoteAddr: Addr };
  /** When the last request had come. */
  #started = 0;

  /** The address of `peer` is asked for with each report: on Deno, to make it costs something. */
  constructor(settings: HttpSettings, peer: { readonly remoteAddr: Addr }) {
    this.#settings = settings;
    this.#peer = peer;
  }

  /** A request has come. */
  begin(): void {
    const { onReply, clock } = this.#settings;
    if (onReply !== undefined) this.#started = clock.now();
  }

  /** So much of a response was sent to a request, or to what was none. */
  end(request: EngineRequest | undefined, status: number, bytes: number, complete: boolean): void {
    const { onReply, clock } = this.#settings;
    if (onReply === undefined) return;
    const duration = request === undefined ? 0 : clock.now() - this.#started;
    onReply({ request, remoteAddr: this.#peer.remoteAddr, status, bytes, complete, duration });
  }
}
