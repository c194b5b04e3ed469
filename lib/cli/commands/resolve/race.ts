/**
 * The outcome of each address of a name while it was dialled, from the events.
 *
 * @module
 */

import { formatAddr, interleave } from "../../../base/addr.ts";
import type { SocketError } from "../../../base/errors.ts";
import type { SocketEvent } from "../../../observe/events.ts";
import type { TcpAddr } from "../../../base/addr.ts";

/** The outcome of an attempt. "given up" means that another won, or that time was up. */
export type Outcome = "won" | "failed" | "given up" | "not tried";

/** An address, and what became of it; times are in milliseconds since the addresses were known. */
export interface Candidate {
  readonly addr: TcpAddr;
  /** When the attempt began. */
  readonly began?: number;
  /** When it ended. */
  readonly ended?: number;
  readonly outcome: Outcome;
  /** Why it failed. */
  readonly error?: SocketError;
}

/** Takes the events of one dial. */
export class Race {
  #candidates: Candidate[] = [];
  #start = 0;
  #tried = 0;
  /** The candidate of each socket. */
  readonly #places = new Map<number, number>();
  #won = false;

  /** Takes an event. */
  record(event: SocketEvent): void {
    // Attempts that end after the first connection have lost: they are given up.
    if (this.#won) return;
    if (event.type === "resolve") {
      this.#start = event.time;
      this.#candidates = interleave(event.addrs).map((addr) => ({ addr, outcome: "not tried" }));
    } else if (event.type === "connect") {
      const place = this.#tried++;
      this.#places.set(event.socket, place);
      this.#set(place, { began: event.time - this.#start, outcome: "given up" });
    } else if (event.type === "connected") {
      this.#end(event, { outcome: "won" });
      this.#won = true;
    } else if (event.type === "error" && event.op === "connect") {
      const { error } = event;
      // Aborted by dial() itself, which may tell of its end before its attempts tell of theirs.
      if (error.code === "ETIMEDOUT" || error.code === "ECANCELED") return;
      this.#end(event, { outcome: "failed", error });
    }
  }

  /** All that there is to tell, `time` being when the dial was over. */
  finish(time: number): readonly Candidate[] {
    const over = this.#candidates.find(({ outcome }) => outcome === "won")?.ended ??
      time - this.#start;
    return this.#candidates.map((candidate) =>
      candidate.outcome === "given up" ? { ...candidate, ended: over } : candidate
    );
  }

  #end({ time, socket }: SocketEvent & { socket?: number }, how: Partial<Candidate>): void {
    const place = socket === undefined ? undefined : this.#places.get(socket);
    if (place !== undefined) this.#set(place, { ended: time - this.#start, ...how });
  }

  #set(place: number, what: Partial<Candidate>): void {
    this.#candidates[place] = { ...this.#candidates[place], ...what };
  }
}

/** Says in a sentence which candidate won and why; undefined if none did. */
export function whyWon(candidates: readonly Candidate[]): string | undefined {
  const place = candidates.findIndex(({ outcome }) => outcome === "won");
  if (place < 0) return undefined;
  const { addr, began = 0, ended = 0 } = candidates[place];
  const answered = `${formatAddr(addr)} won: it answered within ${milliseconds(ended - began)}`;
  if (candidates.length === 1) return `${answered}, and is the only address.`;
  const failed = namesOf(candidates, "failed");
  const slow = namesOf(candidates, "given up");
  const reasons = [
    ...failed === "" ? [] : [`${failed} failed before`],
    ...slow === "" ? [] : [`${slow} had not answered yet`],
    ...place > 0 || slow !== "" ? [] : ["it was tried first, and no other was due yet"],
  ];
  return `${answered}; ${reasons.join("; ")}.`;
}

function namesOf(candidates: readonly Candidate[], wanted: Outcome): string {
  return candidates.filter(({ outcome }) => outcome === wanted)
    .map(({ addr }) => formatAddr(addr)).join(" and ");
}

/** A time for people: tenths of a millisecond are shown where they matter. */
export function milliseconds(ms: number): string {
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}
