/**
 * The ends of flows: addresses of the network as they are, and made-up ones for what has none.
 *
 * @module
 */

import type { Addr, Endpoint, UdpAddr } from "../../base/addr.ts";
import { parseScopedIP } from "../../base/ip.ts";
import type { End } from "./packets.ts";

/** A Unique Local prefix (RFC 4193): nobody routes these addresses. */
const [PREFIX, PATHS, NAMES] = [0xfd, 1, 2];

/** The port of a socket file, and the first of those that stand for unnamed ends. */
const [PATH_PORT, FIRST_PORT] = [1, 1024];

/** An end, and the name that its address stands for if it is made up and new. */
export interface NamedEnd {
  readonly end: End;
  readonly newName: string | undefined;
}

/** Gives each socket path and each name an address of `fd00::/16`. */
export class Ends {
  readonly #made = new Map<string, Uint8Array>();

  /** The end of an address; `socket` distinguishes unnamed ends of Unix sockets. */
  endOf(addr: Addr | UdpAddr | Endpoint, socket: number): NamedEnd {
    if ("path" in addr) {
      if (addr.path !== "") return this.#named(PATHS, addr.path, PATH_PORT);
      const port = FIRST_PORT + socket % (65_536 - FIRST_PORT);
      return this.#named(PATHS, "unnamed", port);
    }
    const bytes = parseScopedIP(addr.host);
    if (bytes === undefined) return this.#named(NAMES, addr.host, addr.port);
    return { end: { address: Uint8Array.from(bytes), port: addr.port }, newName: undefined };
  }

  #named(kind: number, name: string, port: number): NamedEnd {
    const key = `${kind} ${name}`;
    const known = this.#made.get(key);
    if (known !== undefined) return { end: { address: known, port }, newName: undefined };
    const address = new Uint8Array(16);
    const number = this.#made.size + 1;
    address.set([PREFIX, 0, 0, kind]);
    new DataView(address.buffer).setUint32(12, number);
    this.#made.set(key, address);
    return { end: { address, port }, newName: name };
  }
}

/** "Any address" of the family of `other`, where one of the other family stands. */
export function sameFamily(end: End, other: End): End {
  return end.address.length === other.address.length
    ? end
    : { address: new Uint8Array(other.address.length), port: end.port };
}
