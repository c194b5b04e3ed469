/**
 * Many hosts in one process, in simulated time: networks that are slow, lose packets or are cut, and
 * hosts that crash, the same way for the same seed.
 *
 * @module
 */

export type { NetworkOptions } from "./network.ts";
export { RealIoError } from "./refuse_real_io.ts";
export { simulate, SimulationError } from "./simulate.ts";
export type { Simulated, SimulateOptions, World } from "./simulate.ts";
export type { Random } from "../base/random.ts";
