/**
 * Which faults a connection has.
 *
 * @module
 */

import type { Addr, UdpAddr } from "../base/addr.ts";
import { CidrSet } from "../base/cidr.ts";
import type { Direction, Fault, FaultName, FaultPlan, Faults, Selection } from "./plan.ts";

/** The faults of both directions of one connection. */
export interface ConnFaults {
  readonly refused: boolean;
  readonly up: Faults;
  readonly down: Faults;
}

/** The faults of the connection `number`, from 1, with this peer. */
export function faultsOf(plan: FaultPlan, number: number, peer: Addr | UdpAddr): ConnFaults {
  const rules = plan.filter(({ selection }) => selects(selection, number, peer));
  const of = (wanted: Direction): Faults => {
    const faults = new Map<FaultName, Fault>();
    for (const { direction, faults: found } of rules) {
      if (direction !== undefined && direction !== wanted) continue;
      for (const fault of found) if (!faults.has(fault.name)) faults.set(fault.name, fault);
    }
    return faults;
  };
  const [up, down] = [of("up"), of("down")];
  return { refused: up.has("refuse"), up, down };
}

function selects(
  { numbers, every, from }: Selection,
  number: number,
  peer: Addr | UdpAddr,
): boolean {
  if (numbers !== undefined && !numbers.includes(number)) return false;
  if (every !== undefined && number % every !== 0) return false;
  return from === undefined || "host" in peer && new CidrSet(from).has(peer.host);
}
