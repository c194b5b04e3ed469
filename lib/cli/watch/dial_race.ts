/**
 * Attempts to connect that belong to one name: the races of Happy Eyeballs (RFC 8305).
 *
 * @module
 */

import { formatAddr } from "../../base/addr.ts";
import type { RecordedEvent } from "../../recording/format.ts";

/** The most races that are remembered; an attempt joins one of them. */
const MOST = 500;

/** One name, and the attempts at its addresses. */
export interface Race {
  readonly number: number;
  /** `localhost:80`. */
  readonly name: string;
  /** The lines of the event in a recording. */
  readonly lines: string;
  /** The addresses that no attempt has been made at yet. */
  readonly left: Set<string>;
  /** The numbers of the connections that take part. */
  readonly members: number[];
}

type Resolved = Extract<RecordedEvent, { readonly type: "resolve" }>;

/** See the module. */
export class Races {
  readonly #races = new Map<number, Race>();
  #count = 0;

  /** A name was resolved. */
  add({ endpoint, addrs }: Resolved, lines: string): void {
    const number = ++this.#count;
    const left = new Set(addrs.map(formatAddr));
    this.#races.set(number, { number, name: formatAddr(endpoint), lines, left, members: [] });
    if (this.#races.size > MOST) this.#races.delete(number - MOST);
  }

  /**
   * Finds the race of an attempt at `address`: the earliest under way that has not tried it. Undefined
   * if the address is of no name.
   */
  join(address: string, connection: number): Race | undefined {
    for (const race of this.#races.values()) {
      if (!race.left.delete(address)) continue;
      race.members.push(connection);
      return race;
    }
    return undefined;
  }

  /** A race is won: nobody else takes part in it. */
  end(number: number): void {
    this.#races.get(number)?.left.clear();
  }

  /** A race by its number. */
  get(number: number): Race | undefined {
    return this.#races.get(number);
  }
}
