/**
 * The connections that make room for newcomers when all places of an HTTP server are taken.
 *
 * @module
 */

import type { Conn } from "../../net/transport.ts";
import type { TrustedProxies } from "./trusted_proxies.ts";

/** A connection as the choice sees it. Times are in milliseconds. */
export interface Occupant {
  /** The address of the client, see {@linkcode hostOf}. */
  readonly host: string | undefined;
  /** For how long no client has waited for an answer here, or has been slow; -1 if one waits. */
  readonly spare: number;
  /** For how long the client of the request under way has been behind the slow rate; else -1. */
  readonly behind: number;
  /** Ends the connection. */
  makeRoom(): void;
}

/**
 * The time that a connection may wait for its request, or a client of a crowd may be behind, before it
 * makes room: the first request, or the next bytes, may be on their way.
 */
const LEAST_WAIT_MS = 500;

/**
 * An address with so many connections, and with such a share of all, is a crowd. Its slow clients make
 * room sooner. A browser opens six connections.
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
 * Chooses who makes room. Nothing is looked at before a newcomer needs a place. Then all connections are
 * looked at once, and the newcomers until the next tick share that look.
 */
export class Room {
  readonly #occupants: ReadonlySet<Occupant>;
  #lastLook: Look | undefined;
  /** The server itself was slow: what its clients sent or took is not counted yet. */
  #isLate = false;

  constructor(occupants: ReadonlySet<Occupant>) {
    this.#occupants = occupants;
  }

  /** The clock of the server has ticked, perhaps late: others may make room now. */
  tick(isLate: boolean): void {
    this.#lastLook = undefined;
    this.#isLate = isLate;
  }

  /** Whether an address is a crowd: its newcomers let others go first. */
  isCrowd(host: string | undefined): boolean {
    return this.#look.isCrowd(host);
  }

  /**
   * Ends one connection for a newcomer from `host`. Returns false if none may be ended before the next
   * tick. Newcomers of a crowd do not have the slow ones of crowds ended: those would make room for each
   * other, and for nobody else.
   */
  make(host: string | undefined): boolean {
    const { spare, slow, isCrowd } = this.#look;
    return this.#end(spare) || !this.#isLate && !isCrowd(host) && this.#end(slow);
  }

  get #look(): Look {
    return this.#lastLook ??= lookAt(this.#occupants);
  }

  /** Ends the last of some connections. */
  #end(some: Occupant[]): boolean {
    for (let next; (next = some.pop()) !== undefined;) {
      // It may have ended since that look, or got a request.
      if (!this.#occupants.has(next)) continue;
      if (next.spare < LEAST_WAIT_MS && next.behind < LEAST_WAIT_MS) continue;
      next.makeRoom();
      return true;
    }
    return false;
  }
}

/** The state of all connections at one time. The last of each kind is the first to go. */
interface Look {
  readonly spare: Occupant[];
  /** The slow ones of crowds. */
  readonly slow: Occupant[];
  /** Whether an address is a crowd. */
  readonly isCrowd: (host: string | undefined) => boolean;
}

function lookAt(occupants: ReadonlySet<Occupant>): Look {
  const isCrowd = crowdsOf(occupants);
  const spare: Waiting[] = [];
  const slow: Waiting[] = [];
  for (const occupant of occupants) {
    const { spare: waited, behind, host } = occupant;
    if (waited >= LEAST_WAIT_MS) spare.push({ occupant, time: waited });
    else if (behind >= LEAST_WAIT_MS && isCrowd(host)) slow.push({ occupant, time: behind });
  }
  return { spare: longestLast(spare), slow: longestLast(slow), isCrowd };
}

function longestLast(some: Waiting[]): Occupant[] {
  return some.sort((a, b) => b.time - a.time).map(({ occupant }) => occupant).reverse();
}

interface Waiting {
  readonly occupant: Occupant;
  readonly time: number;
}

/** Returns a function that tells whether an address is a crowd. */
function crowdsOf(all: ReadonlySet<Occupant>): (host: string | undefined) => boolean {
  const counts = new Map<string, number>();
  for (const { host } of all) {
    if (host !== undefined) counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  const least = Math.max(CROWD, all.size * CROWD_SHARE);
  return (host) => host !== undefined && counts.get(host)! >= least;
}
