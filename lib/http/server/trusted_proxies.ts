/**
 * The proxies in front of a server, and the client behind them.
 *
 * @module
 */

import type { Addr, TcpAddr } from "../../base/addr.ts";
import { CidrSet, parseCidr } from "../../base/ip.ts";
import { HttpError } from "../message/errors.ts";
import {
  ForwardedError,
  forwardedHops,
  type ForwardedValues,
  type Hop,
  otherHops,
} from "../message/forwarded.ts";

/** The word for peers on a Unix socket, which have no address. */
const UNIX = "unix";

/** The outer end of a request: what its client sees. */
export interface OuterEnd {
  /** The client's address; the port is 0 if no proxy has said which. */
  readonly remoteAddr: Addr;
  readonly scheme: "http" | "https";
  readonly host: string;
}

/** A client that was found, and the last hop on the way to it. */
interface Found extends Omit<Hop, "from"> {
  /** Undefined if no proxy has said it. */
  readonly remoteAddr: TcpAddr | undefined;
}

/** See the module. */
export class TrustedProxies {
  readonly #networks: CidrSet;
  readonly #unix: boolean;

  /** Takes networks, and `unix`. Throws a `TypeError` for what is neither. */
  constructor(trusted: readonly string[]) {
    this.#networks = new CidrSet(trusted.filter((item) => item !== UNIX).map(parseCidr));
    this.#unix = trusted.includes(UNIX);
  }

  /** Whether what this peer says of others is believed. */
  has(addr: Addr): boolean {
    return addr.transport === "unix" ? this.#unix : this.#networks.has(addr.host);
  }

  /**
   * The outer end of a request that a trusted proxy has passed on, on a connection with the `inner` end.
   * The client is the last address that is not of a trusted proxy. Throws an {@linkcode HttpError} if
   * what proxies say of it is not valid, or is contradictory.
   */
  outerOf(headers: readonly string[], inner: OuterEnd): OuterEnd {
    const values = valuesOf(headers);
    if (values === undefined) return inner;
    try {
      const one = this.#follow(forwardedHops(values.forwarded));
      const other = this.#follow(otherHops(values));
      const client = agreed(one.remoteAddr, other.remoteAddr);
      return {
        remoteAddr: client === undefined ? inner.remoteAddr : { ...client, via: inner.remoteAddr },
        scheme: agreed(one.scheme, other.scheme) ?? inner.scheme,
        host: agreed(one.host, other.host) ?? inner.host,
      };
    } catch (error) {
      if (!(error instanceof ForwardedError)) throw error;
      throw new HttpError(400, "BAD_FIELD", error.message);
    }
  }

  /** Goes from the server's peer outwards, as long as who speaks is trusted. */
  #follow(hops: Iterable<Hop>): Found {
    let found: Found = { remoteAddr: undefined, scheme: undefined, host: undefined };
    for (const { from, scheme, host } of hops) {
      found = { remoteAddr: from ?? found.remoteAddr, scheme, host };
      if (from === undefined || !this.has(from)) break;
    }
    return found;
  }
}

/** The values of the fields. */
interface FieldValues extends ForwardedValues {
  readonly forwarded: readonly string[];
}

const FIELDS: ReadonlyMap<string, keyof FieldValues> = new Map([
  ["forwarded", "forwarded"],
  ["x-forwarded-for", "for"],
  ["x-forwarded-proto", "proto"],
  ["x-forwarded-host", "host"],
]);

/** Finds the fields; undefined if there are none. */
function valuesOf(headers: readonly string[]): FieldValues | undefined {
  let values: Record<keyof FieldValues, string[]> | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const field = FIELDS.get(headers[i].toLowerCase());
    if (field === undefined) continue;
    values ??= { forwarded: [], for: [], proto: [], host: [] };
    values[field].push(headers[i + 1]);
  }
  return values;
}

/**
 * Returns the value of the two kinds of header fields. Throws if they differ: a proxy may send one
 * kind and pass on the other from the client, and nobody knows which is right.
 */
function agreed<T extends string | TcpAddr>(a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined || b === undefined || textOf(a) === textOf(b)) return a ?? b;
  throw new ForwardedError("Forwarded and X-Forwarded-* contradict each other");
}

/** Ports of an address are not compared: the other field seldom has one. */
function textOf(value: string | TcpAddr): string {
  return typeof value === "string" ? value.toLowerCase() : value.host;
}
