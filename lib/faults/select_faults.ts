/**
 * The faults of a connection.
 *
 * @module
 */

import type { Addr, Endpoint } from "../base/addr.ts";
import { CidrSet } from "../base/ip.ts";
import { Random } from "../base/random.ts";
import type { Direction, Fault, FaultPlan, FaultRule, Faults } from "./plan.ts";

/** The faults of both directions of one connection. */
export interface ConnFaults {
  readonly refused: boolean;
  readonly up: Faults;
  readonly down: Faults;
}

/** One connection, as rules choose it. */
export class Chosen {
  readonly #number: number;
  readonly #random: Random;
  /** The random decision for each rule, made once. */
  readonly #decided = new Map<FaultRule, boolean>();

  /** `number` is that of the connection, from 1. */
  constructor(seed: number, number: number) {
    this.#number = number;
    this.#random = new Random(seed, number, 3);
  }

  /** The faults of the connection, with this peer; undefined is any peer. */
  faults(plan: FaultPlan, peer: Addr | Endpoint | undefined): ConnFaults {
    for (const rule of this.#decided.keys()) if (!plan.includes(rule)) this.#decided.delete(rule);
    const rules = plan.filter((rule) => this.#isChosen(rule) && selects(rule, this.#number, peer));
    const [up, down] = [faultsOf(rules, "up"), faultsOf(rules, "down")];
    return { refused: up.some(({ name }) => name === "refuse"), up, down };
  }

  #isChosen(rule: FaultRule): boolean {
    const { chance } = rule.selection;
    if (chance === undefined) return true;
    const chosen = this.#decided.get(rule) ?? this.#random.next() < chance;
    this.#decided.set(rule, chosen);
    return chosen;
  }
}

function faultsOf(rules: readonly FaultRule[], wanted: Direction): Faults {
  const found: Fault[] = [];
  for (const { direction, faults, stacks = false } of rules) {
    if (direction !== undefined && direction !== wanted) continue;
    const isNew = (fault: Fault) => stacks || found.every(({ name }) => name !== fault.name);
    found.push(...faults.filter(isNew));
  }
  return found;
}

function selects(
  { selection: { numbers, every, from } }: FaultRule,
  number: number,
  peer: Addr | Endpoint | undefined,
): boolean {
  if (numbers !== undefined && !numbers.includes(number)) return false;
  if (every !== undefined && number % every !== 0) return false;
  if (from === undefined || peer === undefined) return true;
  return "host" in peer && new CidrSet(from).has(peer.host);
}
