/**
 * Faults on purpose: transports on which connections break, stall or are slow, as a plan says.
 *
 * @module
 */

export type { Cidr } from "../base/ip.ts";
export { faulty } from "./faulty.ts";
export type { FaultyOptions, FaultyTransport } from "./faulty.ts";
export { FaultPlanError, parseFaultPlan } from "./parse.ts";
export type {
  Direction,
  Fault,
  FaultForms,
  FaultName,
  FaultPlan,
  FaultRule,
  Moment,
  Place,
  Selection,
} from "./plan.ts";
