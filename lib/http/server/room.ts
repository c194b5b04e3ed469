/**
 * The connections that make room for newcomers when all places of an HTTP server are taken.
 *
 * @module
 */

/** A connection as the choice sees it. Times are in milliseconds. */
export interface Occupant {
  /** The address of the client; undefined if many clients may share it, as behind a trusted proxy. */
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

/**
 * Chooses who makes room. Nothing is looked at before a newcomer needs a place. Then all connections are
 * looked at once, and the newcomers until the next tick share that look.
 */
export class Room {
  readonly #occupants: ReadonlySet<Occupant>;
  /** Those that may make room; the last is the first to go. Undefined until a newcomer asks. */
  #candidates: Occupant[] | undefined;
  /** The server itself was slow: what its clients sent or took is not counted yet. */
  #isLate = false;

  constructor(occupants: ReadonlySet<Occupant>) {
    this.#occupants = occupants;
  }

  /** The clock of the server has ticked, perhaps late: others may make room now. */
  tick(isLate: boolean): void {
    this.#candidates = undefined;
    this.#isLate = isLate;
  }

  /** Ends one connection. Returns false if none may be ended before the next tick. */
  make(): boolean {
    const candidates = this.#candidates ??= this.#choose();
    for (let next; (next = candidates.pop()) !== undefined;) {
      // It may have ended since that look, or got a request.
      if (!this.#occupants.has(next)) continue;
      if (next.spare < LEAST_WAIT_MS && next.behind < LEAST_WAIT_MS) continue;
      next.makeRoom();
      return true;
    }
    return false;
  }

  /** The spare ones are to go first, then the slow ones of crowds; of each kind the longest waiting. */
  #choose(): Occupant[] {
    const isCrowd = crowdsOf(this.#occupants);
    const spare: Waiting[] = [];
    const slow: Waiting[] = [];
    for (const occupant of this.#occupants) {
      const { spare: waited, behind, host } = occupant;
      if (waited >= LEAST_WAIT_MS) spare.push({ occupant, time: waited });
      else if (behind >= LEAST_WAIT_MS && isCrowd(host)) slow.push({ occupant, time: behind });
    }
    return [spare, this.#isLate ? [] : slow]
      .flatMap((some) => some.sort((a, b) => b.time - a.time))
      .map(({ occupant }) => occupant)
      .reverse();
  }
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
