/**
 * Chooses the connection of a full HTTP server that is evicted for a newcomer.
 *
 * @module
 */

import type { Conn } from "../../net/transport.ts";
import type { TrustedProxies } from "./trusted_proxies.ts";

/** A connection that may be evicted. Times are in milliseconds. */
export interface Evictable {
  /** The address of the client, see {@linkcode hostOf}. */
  readonly host: string | undefined;
  /** For how long no client has waited for an answer here, or has been slow; -1 if one waits. */
  readonly spare: number;
  /** For how long the client of the request under way has been behind the slow rate; else -1. */
  readonly behind: number;
  /** Ends the connection. */
  evict(): void;
}

/**
 * The time that a connection may wait for its request, or a client of a crowd may be behind, before it
 * is evicted: the first request, or the next bytes, may be on their way.
 */
const LEAST_WAIT_MS = 500;

/**
 * An address with so many connections, and with such a share of all, is a crowd. Its slow clients are
 * evicted sooner. A browser opens six connections.
 */
const CROWD = 16;
const CROWD_SHARE = 1 / 16;

/** The address of a client; undefined if many clients may share it, as behind a trusted proxy. */
export function hostOf(
  { remoteAddr }: Pick<Conn, "remoteAddr">,
  proxies: TrustedProxies | undefined,
): string | undefined {
  if (remoteAddr.transport === "unix") return undefined;
  return proxies?.has(remoteAddr) ? undefined : remoteAddr.host;
}

/**
 * Chooses the connection to evict. No connection is looked at before a newcomer needs a place. Then all
 * are looked at once, and the newcomers until the next tick share the result.
 */
export class Eviction {
  readonly #connections: ReadonlySet<Evictable>;
  #lastLook: Look | undefined;
  /** The server itself was slow: what its clients sent or took is not counted yet. */
  #isLate = false;

  constructor(connections: ReadonlySet<Evictable>) {
    this.#connections = connections;
  }

  /** The clock of the server has ticked, perhaps late: others may be evicted now. */
  tick(isLate: boolean): void {
    this.#lastLook = undefined;
    this.#isLate = isLate;
  }

  /** Whether an address is a crowd: its newcomers let others go first. */
  isCrowd(host: string | undefined): boolean {
    return this.#look.isCrowd(host);
  }

  /**
   * Evicts one connection for a newcomer from `host`. Returns false if no connection may be evicted
   * before the next tick. Newcomers of a crowd do not evict the slow ones of crowds: those would take
   * turns, and nobody else would get a place.
   */
  evictFor(host: string | undefined): boolean {
    const { spare, slow, isCrowd } = this.#look;
    return this.#end(spare) || !this.#isLate && !isCrowd(host) && this.#end(slow);
  }

  get #look(): Look {
    return this.#lastLook ??= lookAt(this.#connections);
  }

  /** Ends the last of some connections. */
  #end(some: Evictable[]): boolean {
    for (let next; (next = some.pop()) !== undefined;) {
      // It may have ended since that look, or got a request.
      if (!this.#connections.has(next)) continue;
      if (next.spare < LEAST_WAIT_MS && next.behind < LEAST_WAIT_MS) continue;
      next.evict();
      return true;
    }
    return false;
  }
}

/** The state of all connections at one time. The last of each kind is evicted first. */
interface Look {
  readonly spare: Evictable[];
  /** The slow ones of crowds. */
  readonly slow: Evictable[];
  /** Whether an address is a crowd. */
  readonly isCrowd: (host: string | undefined) => boolean;
}

function lookAt(connections: ReadonlySet<Evictable>): Look {
  const isCrowd = crowdsOf(connections);
  const spare: Waiting[] = [];
  const slow: Waiting[] = [];
  for (const connection of connections) {
    const { spare: waited, behind, host } = connection;
    if (waited >= LEAST_WAIT_MS) spare.push({ connection, time: waited });
    else if (behind >= LEAST_WAIT_MS && isCrowd(host)) slow.push({ connection, time: behind });
  }
  return { spare: longestLast(spare), slow: longestLast(slow), isCrowd };
}

function longestLast(some: Waiting[]): Evictable[] {
  return some.sort((a, b) => b.time - a.time).map(({ connection }) => connection).reverse();
}

interface Waiting {
  readonly connection: Evictable;
  readonly time: number;
}

/** Returns a function that returns whether an address is a crowd. */
function crowdsOf(all: ReadonlySet<Evictable>): (host: string | undefined) => boolean {
  const counts = new Map<string, number>();
  for (const { host } of all) {
    if (host !== undefined) counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  const least = Math.max(CROWD, all.size * CROWD_SHARE);
  return (host) => host !== undefined && counts.get(host)! >= least;
}
