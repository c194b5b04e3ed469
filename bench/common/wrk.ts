/**
 * One run of wrk.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What wrk has counted. */
export interface WrkTotals {
  /** How many responses were whole. */
  readonly responses: number;
  /** Bytes of all that came. */
  readonly bytes: number;
  readonly seconds: number;
  /** Seconds of CPU time that wrk used. */
  readonly cpu: number;
}

/** Runs a program in a shell that tells its CPU time, in the lines behind what it prints. */
const TIMED = ["sh", "-c", '"$@" && times', "sh"] as const;

/**
 * Asks for `url` on so many connections for so many seconds. Rejects if a response was not a 200, or a
 * connection broke.
 */
export async function runWrk(
  program: readonly string[],
  url: string,
  connections: number,
  seconds: number,
): Promise<WrkTotals> {
  const [shell, ...args] = [...TIMED, ...program, "-t1", `-c${connections}`, `-d${seconds}s`, url];
  const { stdout } = await run(shell, args, { timeout: seconds * 1000 + 30_000 });
  const [, responses, time, bytes] = TOTALS.exec(stdout) ?? [];
  if (responses === undefined) throw new Error(`wrk says: ${stdout}`);
  const bad = /Non-2xx.*|Socket errors: (?!connect 0, read 0, write 0).*/.exec(stdout)?.[0];
  if (bad !== undefined) throw new Error(bad);
  const [, ...times] = OF_CHILDREN.exec(stdout) ?? [];
  const [userMinutes, user, systemMinutes, system] = times.map(Number);
  const cpu = 60 * (userMinutes + systemMinutes) + user + system;
  return { responses: Number(responses), bytes: units(bytes), seconds: units(time), cpu };
}

/** User and system time of a shell's children, on the last line of `times`. */
const OF_CHILDREN = /\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s\n$/;

const TOTALS = /(\d+) requests in ([\d.]+\w+), ([\d.]+\w+) read/;

/** A number with wrk's units, in seconds or bytes. */
function units(text: string): number {
  const [, number, unit] = /^([\d.]+)(\w+)$/.exec(text)!;
  const factors: Record<string, number> = {
    ...{ us: 1e-6, ms: 1e-3, s: 1, m: 60 },
    ...{ B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 },
  };
  return Number(number) * factors[unit];
}
