/**
 * Faults that cannot go together.
 *
 * @module
 */

import type { Fault, FaultName, FaultRule, Moment } from "./plan.ts";

/** A fault that cannot go with one of an earlier rule. */
export interface Contradiction {
  readonly fault: Fault;
  /** The other one; of the same name if the first rule is the one that counts. */
  readonly other: Fault;
  /** The number of the earlier rule, from 1. */
  readonly rule: number;
}

/** The rules of a plan, as they are read. */
export class RulesSoFar {
  /** The rules by the connections that they are for. */
  readonly #rules = new Map<string, { readonly rule: FaultRule; readonly number: number }[]>();
  #count = 0;

  /** Adds a rule. Returns what in it cannot go with an earlier one. */
  add(rule: FaultRule): Contradiction | undefined {
    const key = JSON.stringify(rule.selection);
    const alike = this.#rules.get(key);
    const number = ++this.#count;
    for (const earlier of alike ?? []) {
      const found = contradictionOf(rule, earlier.rule);
      if (found !== undefined) return { ...found, rule: earlier.number };
    }
    // A list that grows has room for many more, and most rules are alone.
    if (alike === undefined) this.#rules.set(key, [{ rule, number }]);
    else alike.push({ rule, number });
    return undefined;
  }
}

/** Finds a fault of a rule that cannot go with an earlier one for the same connections. */
function contradictionOf(
  { direction, faults }: FaultRule,
  earlier: FaultRule,
): Omit<Contradiction, "rule"> | undefined {
  const overlap = direction === undefined || earlier.direction === undefined ||
    direction === earlier.direction;
  if (!overlap) return undefined;
  for (const fault of faults) {
    const same = earlier.faults.find(({ name }) => name === fault.name);
    const covered = (earlier.direction ?? direction) === direction;
    if (same !== undefined && covered) return { fault, other: same };
    const other = same ?? earlier.faults.find((other) => contradict(fault, other));
    if (other !== undefined && other !== same) return { fault, other };
  }
}

/** Faults of which only the first to happen would be seen. */
const ENDS: readonly FaultName[] = ["reset", "close", "stall"];

/** Faults that contradict each other: one makes pieces smaller, the other larger. */
const SIZES: readonly FaultName[] = ["split", "coalesce"];

/** Whether two faults of different names cannot both happen to a connection. */
export function contradict(a: Fault, b: Fault): boolean {
  const both = (names: readonly FaultName[]) => names.includes(a.name) && names.includes(b.name);
  if (a.name === "refuse" || b.name === "refuse" || both(SIZES)) return true;
  // After so many bytes, at a message or after a time: whichever comes first.
  return both(ENDS) && "at" in a && "at" in b && kindOf(a.at) === kindOf(b.at);
}

function kindOf(at: Moment): string {
  return (["bytes", "message", "data"] as const).find((kind) => kind in at) ?? "ms";
}
