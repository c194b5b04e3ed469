/**
 * `deno task bench:frames`: how fast frames are read and written, in memory and over a socket.
 *
 * @module
 */

import { toggle, type Values } from "../lib/cli/io/flags.ts";
import { Child } from "./common/children.ts";
import { bench, count, NO_PIN, opening, type Run, runBench } from "./common/cli.ts";
import { exitCode } from "./common/rounds.ts";
import { compile, pinning } from "./common/tools.ts";
import { measureRounds } from "./echo/rounds.ts";
import { type Ready, source } from "./echo/subjects.ts";
import { echoTable, type RatesOf, rateTable, targetTable } from "./frames/report.ts";
import { LOAD, RATES, RUNTIMES, SUBJECTS } from "./frames/subjects.ts";

const FULL = { rounds: 31, slice: 200 };
const QUICK = { rounds: 3, slice: 100 };

const FLAGS = {
  rounds: count("N", FULL.rounds, "how many rounds"),
  slice: count("MS", FULL.slice, "how long each is measured in a round"),
  quick: toggle("3 rounds of 100 ms: a check of the bench"),
  "no-pin": NO_PIN,
};

/** The rates of each runtime in memory: one after the other, since they are not compared. */
async function measureRates(
  rounds: number,
  slice: number,
  pin: readonly string[],
  say: (text: string) => void,
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

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const usual = values.quick ? QUICK : FULL;
  const { rounds = usual.rounds, slice = usual.slice } = values;
  const pins = pinning(!values["no-pin"]);
  const load = compile(source("load.c"));
  const rates = await measureRates(rounds, slice, pins.server, say);
  const ready: Ready[] = [];
  for (const subject of SUBJECTS) ready.push({ subject, command: await subject.command() });
  const options = { rounds, slice, load, pins, spin: pins.apart, progress: say };
  const [echo] = await measureRounds(ready, [LOAD], options);

  console.log(opening(values.quick, `${rounds} rounds of ${slice} ms each. ${pins.note}`));
  const tables = [rateTable(rates), echoTable(echo), targetTable(rates, echo)];
  console.log(tables.filter(Boolean).join("\n\n"));
  return exitCode(echo.failures.values());
}

export const run: Run = bench({
  task: "bench:frames",
  about: "Measures frames, in memory and echoed over a socket, and prints Markdown tables.",
  flags: FLAGS,
  notes: "It measures on Deno, and on Node 20 and 24, which it installs by itself.",
  measure,
});

if (import.meta.main) await runBench(run);
