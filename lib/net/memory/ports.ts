/**
 * The IP addresses and ports of a network in memory: who has which.
 *
 * @module
 */

import { SocketError } from "../../base/errors.ts";
import type { Endpoint } from "../../base/addr.ts";

const FIRST_EPHEMERAL_PORT = 49152;

const ANY = ["::", "0.0.0.0"];

/** See the module. */
export class MemoryPorts<T> {
  readonly #bound = new Map<string, { readonly port: number; readonly owner: T }>();
  #next = FIRST_EPHEMERAL_PORT;

  /** The next port for who did not choose one. */
  choose(): number {
    if (this.#next > 65535) this.#next = FIRST_EPHEMERAL_PORT;
    return this.#next++;
  }

  /** Gives an address to an owner. Throws EADDRINUSE. */
  bind(addr: Endpoint, owner: T): void {
    if (this.#isTaken(addr)) throw new SocketError("EADDRINUSE", "listen", { addr });
    this.#bound.set(keyOf(addr.host, addr.port), { port: addr.port, owner });
  }

  /** Returns the socket that is reached at an address. */
  at({ host, port }: Endpoint): T | undefined {
    const hosts = [host, ...ANY];
    for (const each of hosts) {
      const found = this.#bound.get(keyOf(each, port));
      if (found !== undefined) return found.owner;
    }
    return undefined;
  }

  /** Takes an address back. */
  free({ host, port }: Endpoint): void {
    this.#bound.delete(keyOf(host, port));
  }

  #isTaken(addr: Endpoint): boolean {
    if (!ANY.includes(addr.host)) return this.at(addr) !== undefined;
    return [...this.#bound.values()].some(({ port }) => port === addr.port);
  }
}

function keyOf(host: string, port: number): string {
  return `${host} ${port}`;
}
