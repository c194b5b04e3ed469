/**
 * `deno task bench:frames`: how fast frames are read and written, in memory and over a socket.
 *
 * @module
 */

import { availableParallelism, cpus, release } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { Child, killAll } from "./common/children.ts";
import { compile, Missing, pinning } from "./common/tools.ts";
import { measureRounds } from "./echo/rounds.ts";
import { type Ready, source } from "./echo/subjects.ts";
import { echoTable, type RatesOf, rateTable, targetTable } from "./frames/report.ts";
import { LOAD, RATES, RUNTIMES, SUBJECTS } from "./frames/subjects.ts";

const HELP = `Measures frames, in memory and echoed over a socket, and prints Markdown tables.

usage: deno task bench:frames [options]

  --rounds N      how many rounds (default 31)
  --slice MS      how long each is measured in a round (default 200)
  --quick         3 rounds of 100 ms: a check of the bench
  --no-pin        let the scheduler choose the cores
  -h, --help      this text
`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "31" },
    slice: { type: "string", default: "200" },
    quick: { type: "boolean", default: false },
    "no-pin": { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

function say(text: string): void {
  console.error(`bench:frames: ${text}`);
}

/** The rates of each runtime in memory: one after the other, since they are not compared. */
async function measureRates(
  rounds: number,
  slice: number,
  pin: readonly string[],
): Promise<RatesOf[]> {
  const results = [];
  for (const { title, command } of RUNTIMES) {
    say(`in memory on ${title}`);
    const child = new Child([...pin, ...await command(RATES), String(rounds), String(slice)]);
    // 8 tasks, and as much again for a machine that is busy.
    const rates = JSON.parse(await child.line(20_000 + 16 * (rounds + 1) * slice));
    await child.stop();
    results.push({ title, rates });
  }
  return results;
}

async function main(): Promise<void> {
  if (values.help) return console.log(HELP);
  if (process.platform !== "linux") throw new Missing("it reads /proc: it needs Linux");
  const [rounds, slice] = values.quick ? [3, 100] : [Number(values.rounds), Number(values.slice)];
  const pins = pinning(!values["no-pin"]);
  const load = compile(source("load.c"));
  const rates = await measureRates(rounds, slice, pins.server);
  const ready: Ready[] = [];
  for (const subject of SUBJECTS) ready.push({ subject, command: await subject.command() });
  const options = { rounds, slice, load, pins, spin: pins.apart, progress: say };
  const [echo] = await measureRounds(ready, [LOAD], options);

  const kernel = release().split("-")[0];
  console.log(
    `Deno ${Deno.version.deno}, ${availableParallelism()} cores (${cpus()[0]?.model}), Linux ` +
      `${kernel}. ${rounds} rounds of ${slice} ms each. ${pins.note}\n`,
  );
  if (values.quick) console.log("A quick run, to see that the bench works: conclude nothing.\n");
  console.log(`${rateTable(rates)}\n\n${echoTable(echo)}\n\n${targetTable(rates, echo)}`);
  if (echo.failures.size > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  const usage = (error as { code?: string }).code?.startsWith("ERR_PARSE");
  if (!usage && !(error instanceof Missing)) throw error;
  console.error(`bench:frames: ${(error as Error).message}`);
  process.exitCode = usage ? 2 : 1;
} finally {
  killAll();
}
