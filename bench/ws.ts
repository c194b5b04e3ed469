/**
 * `deno task bench:ws`: servers that echo messages of WebSocket, side by side in one run.
 *
 * @module
 */

import { toggle, type Values } from "../lib/cli/io/flags.ts";
import {
  bench,
  chosen,
  count,
  names,
  NO_PIN,
  nothingChosen,
  opening,
  type Run,
  runBench,
} from "./common/cli.ts";
import { failureNotes } from "./common/report.ts";
import { exitCode } from "./common/rounds.ts";
import { compile, pinning } from "./common/tools.ts";
import { measureMemory } from "./echo/memory.ts";
import { measureRounds } from "./echo/rounds.ts";
import { prepare, source } from "./echo/subjects.ts";
import { caseTable, memoryTable, targetTable } from "./ws/report.ts";
import { IDLE, LOAD_CASES, SUBJECTS } from "./ws/subjects.ts";

const FULL = { rounds: 21, slice: 200, repeats: 3, connections: 10_000 };
const QUICK = { rounds: 3, slice: 100, repeats: 1, connections: 2000 };

const FLAGS = {
  only: names(SUBJECTS, "only these servers"),
  case: names([...LOAD_CASES, IDLE], "only these cases"),
  rounds: count("N", FULL.rounds, "how many rounds"),
  slice: count("MS", FULL.slice, "how long a server is measured in a round"),
  repeats: count("N", FULL.repeats, "how often memory is measured"),
  quick: toggle("3 rounds of 100 ms, memory once with 2,000 connections: a check of the bench"),
  "no-pin": NO_PIN,
};

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const usual = values.quick ? QUICK : FULL;
  const { rounds = usual.rounds, slice = usual.slice, repeats = usual.repeats } = values;
  const { connections } = usual;
  const subjects = chosen(SUBJECTS, values.only);
  const loads = chosen(LOAD_CASES, values.case);
  const idles = chosen([IDLE], values.case);
  if (loads.length + idles.length === 0) throw nothingChosen();
  const load = compile(source("load.c"));
  const pins = pinning(!values["no-pin"]);
  const { ready, absent } = await prepare(subjects);
  const options = { rounds, slice, load, pins, spin: pins.apart, progress: say };
  const results = await measureRounds(ready, loads, options);
  const memory = { connections, repeats, load, progress: say };
  const idle = await measureMemory(ready, idles, memory);

  console.log(opening(values.quick, `${rounds} rounds of ${slice} ms each. ${pins.note}`));
  const tables = [
    ...results.map(caseTable),
    ...idle.map((result) => memoryTable(result, connections)),
    failureNotes(absent).join("\n"),
    targetTable(results),
  ];
  console.log(tables.filter(Boolean).join("\n\n"));
  return exitCode([...results, ...idle].flatMap(({ failures }) => [...failures.values()]));
}

export const run: Run = bench({
  task: "bench:ws",
  about: "Measures servers that echo messages of WebSocket, and prints Markdown tables.",
  flags: FLAGS,
  notes: "It installs Node 20 and 24, the package ws and Bun by itself.",
  measure,
});

if (import.meta.main) await runBench(run);
