/**
 * `deno task bench:echo`: echo servers measured side by side in one run, as a table of ratios.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { optional, path, toggle, type Values } from "../lib/cli/io/flags.ts";
import {
  bench,
  chosen,
  count,
  listed,
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
import { type IdleResult, measureMemory } from "./echo/memory.ts";
import { caseTable, generatorNote, memoryTable } from "./echo/report.ts";
import { type EchoResult, measureRounds } from "./echo/rounds.ts";
import {
  IDLE_CASES,
  LOAD_CASES,
  prepare,
  source,
  type Subject,
  SUBJECTS,
} from "./echo/subjects.ts";
import { targetTable } from "./echo/targets.ts";

const FULL = { rounds: 41, slice: 200, repeats: 3, connections: 10_000 };
const QUICK = { rounds: 3, slice: 100, repeats: 1, connections: 2000 };
const CASES = [...LOAD_CASES, ...IDLE_CASES];

const FLAGS = {
  only: names(SUBJECTS, "only these servers"),
  case: names(CASES, "only these cases"),
  rounds: count("N", FULL.rounds, "how many rounds"),
  slice: count("MS", FULL.slice, "how long a server is measured in a round"),
  repeats: count("N", FULL.repeats, "how often memory is measured"),
  quick: toggle("3 rounds of 100 ms, memory once with 2,000 connections: a check of the bench"),
  "no-pin": NO_PIN,
  raw: optional(path("also write every measurement to FILE, as JSON", "FILE")),
};

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const { quick, raw } = values;
  const usual = quick ? QUICK : FULL;
  const { rounds = usual.rounds, slice = usual.slice, repeats = usual.repeats } = values;
  const { connections } = usual;
  const subjects = chosen(SUBJECTS, values.only);
  const loads = chosen(LOAD_CASES, values.case);
  const idles = chosen(IDLE_CASES, values.case);
  const isMeasured = ({ throughput, memory }: Subject) =>
    throughput && loads.length > 0 || memory && idles.length > 0;
  if (!subjects.some(isMeasured)) throw nothingChosen();
  const load = compile(source("load.c"));
  const pins = pinning(!values["no-pin"]);
  const { ready, absent } = await prepare(subjects);
  const loaded = ready.filter(({ subject }) => subject.throughput);
  const options = { rounds, slice, load, pins, spin: pins.apart, progress: say };
  const results = await measureRounds(loaded, loads, options);
  const idling = ready.filter(({ subject }) => subject.memory);
  const idle = await measureMemory(idling, idles, { connections, repeats, load, progress: say });

  console.log(opening(quick));
  if (results.length > 0) {
    console.log(`${rounds} rounds of ${slice} ms each. ${pins.note}\n`);
  }
  for (const result of results) console.log(`${caseTable(result)}\n`);
  if (idle.length > 0) console.log(`${memoryTable(idle, connections)}\n`);
  const closing = [
    failureNotes(absent).join("\n"),
    generatorNote(results),
    targetTable(results, idle),
  ];
  console.log(closing.filter(Boolean).join("\n\n"));
  if (raw !== undefined) writeRaw(raw, results, idle);
  const reasons = [...results, ...idle].flatMap(({ failures }) => [...failures.values()]);
  return exitCode([...reasons, ...absent.values()]);
}

function writeRaw(file: string, results: EchoResult[], idle: IdleResult[]): void {
  const all = [...results, ...idle].map((
    { load, samples },
  ) => [load.name, Object.fromEntries(samples)]);
  writeFileSync(file, JSON.stringify(Object.fromEntries(all)));
}

export const run: Run = bench({
  task: "bench:echo",
  about: "Measures echo servers side by side and prints Markdown tables of ratios.",
  flags: FLAGS,
  notes: `servers: ${listed(SUBJECTS)}\ncases: ${listed(CASES)}`,
  measure,
});

if (import.meta.main) await runBench(run);
