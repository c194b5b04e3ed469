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
}

/**
 * Asks for `url` on so many connections for so many seconds. Rejects if a response was not a 200, or a
 * connection broke.
 */
export async function runWrk(
  [program, ...before]: readonly string[],
  url: string,
  connections: number,
  seconds: number,
): Promise<WrkTotals> {
  const args = [...before, "-t1", `-c${connections}`, `-d${seconds}s`, url];
  const { stdout } = await run(program, args, { timeout: seconds * 1000 + 30_000 });
  const [, responses, time, bytes] = TOTALS.exec(stdout) ?? [];
  if (responses === undefined) throw new Error(`wrk says: ${stdout}`);
  const bad = /Non-2xx.*|Socket errors: (?!connect 0, read 0, write 0).*/.exec(stdout)?.[0];
  if (bad !== undefined) throw new Error(bad);
  return { responses: Number(responses), bytes: units(bytes), seconds: units(time) };
}

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
