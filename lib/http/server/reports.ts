/**
 * What {@linkcode HttpOptions.onReply} is told of the requests of one connection.
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

  /** `peer` has the client's address, which costs something to ask for. */
  constructor(settings: HttpSettings, peer: { readonly remoteAddr: Addr }) {
    this.#settings = settings;
    this.#peer = peer;
  }

  /** A request has come. */
  begin(): void {
    const { onReply, clock } = this.#settings;
    if (onReply !== undefined) this.#started = clock.now();
  }

  /** A request, or what was none, has got so much of its response. */
  end(request: EngineRequest | undefined, status: number, bytes: number, complete: boolean): void {
    const { onReply, clock } = this.#settings;
    if (onReply === undefined) return;
    const duration = request === undefined ? 0 : clock.now() - this.#started;
    onReply({ request, remoteAddr: this.#peer.remoteAddr, status, bytes, complete, duration });
  }
}
