/**
 * `deno task bench:echo`: echo servers measured side by side in one run, as a table of ratios.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { killAll } from "./common/children.ts";
import { type IdleResult, measureMemory } from "./echo/memory.ts";
import { caseTable, generatorNote, memoryTable } from "./echo/report.ts";
import { type CaseResult, measureRounds } from "./echo/rounds.ts";
import {
  IDLE_CASES,
  LOAD_CASES,
  type Ready,
  source,
  type Subject,
  SUBJECTS,
} from "./echo/subjects.ts";
import { targetTable } from "./echo/targets.ts";
import { compile, Missing, pinning } from "./common/tools.ts";

const HELP = `Measures echo servers side by side and prints Markdown tables of ratios.

usage: deno task bench:echo [options]

  --only NAMES    only these servers, by comma
  --case NAMES    only these cases, by comma
  --rounds N      how many rounds (default 41)
  --slice MS      how long a server is measured in a round (default 200)
  --repeats N     how often memory is measured (default 3)
  --quick         3 rounds of 100 ms, memory once with 2,000 connections: a check of the bench
  --no-pin        let the scheduler choose the cores
  --raw FILE      also write every measurement to FILE, as JSON
  -h, --help      this text

servers: ${SUBJECTS.map(({ name }) => name).join(", ")}
cases: ${[...LOAD_CASES, ...IDLE_CASES].map(({ name }) => name).join(", ")}
`;

/** A mistake on the command line. */
class Usage extends Error {}

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      case: { type: "string" },
      rounds: { type: "string" },
      slice: { type: "string" },
      repeats: { type: "string" },
      quick: { type: "boolean", default: false },
      "no-pin": { type: "boolean", default: false },
      raw: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { quick } = values;
  return {
    ...values,
    subjects: pick(SUBJECTS, values.only, "server"),
    loads: pick(LOAD_CASES, values.case, "case", IDLE_CASES),
    idles: pick(IDLE_CASES, values.case, "case", LOAD_CASES),
    rounds: count(values.rounds, quick ? 3 : 41),
    slice: count(values.slice, quick ? 100 : 200),
    repeats: count(values.repeats, quick ? 1 : 3),
    connections: quick ? 2000 : 10_000,
  };
}

interface Named {
  readonly name: string;
}

/** The items that `names` lists, or all; a name must be one of theirs or of the `others`. */
function pick<T extends Named>(
  items: readonly T[],
  names: string | undefined,
  what: string,
  others: readonly Named[] = [],
): T[] {
  if (names === undefined) return [...items];
  const wanted = names.split(",");
  const known = [...items, ...others].map(({ name }) => name);
  const wrong = wanted.find((name) => !known.includes(name));
  if (wrong !== undefined) {
    throw new Usage(`there is no ${what} "${wrong}": choose from ${known.join(", ")}`);
  }
  return items.filter(({ name }) => wanted.includes(name));
}

function count(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Usage(`"${text}" is not a number from 1`);
  return Number(text);
}

function say(text: string): void {
  console.error(`bench:echo: ${text}`);
}

/** The chosen servers of which all is installed; tells why of the others. */
async function prepare(
  subjects: readonly Subject[],
  absent: Map<string, string>,
): Promise<Ready[]> {
  const ready = [];
  for (const subject of subjects) {
    try {
      ready.push({ subject, command: await subject.command() });
    } catch (error) {
      const { message } = error as Error;
      absent.set(subject.title, error instanceof Missing ? message : `failed: ${message}`);
    }
  }
  return ready;
}

async function main(): Promise<number> {
  const chosen = readOptions();
  if (chosen.help) {
    console.log(HELP);
    return 0;
  }
  if (process.platform !== "linux") throw new Missing("it reads /proc: it needs Linux");
  const load = compile(source("load.c"));
  const pins = pinning(!chosen["no-pin"]);
  const absent = new Map<string, string>();
  const ready = await prepare(chosen.subjects, absent);
  const { loads, idles, rounds, slice, repeats, connections } = chosen;
  const loaded = ready.filter(({ subject }) => subject.throughput);
  const options = { rounds, slice, load, pins, spin: pins.apart, progress: say };
  const results = await measureRounds(loaded, loads, options);
  const idling = ready.filter(({ subject }) => subject.memory);
  const idle = await measureMemory(idling, idles, { connections, repeats, load, progress: say });

  console.log(`${machine()}\n`);
  if (chosen.quick) {
    console.log("A quick run, to see that the bench works: conclude nothing from it.\n");
  }
  if (results.length > 0) {
    console.log(`${rounds} rounds of ${slice} ms each. ${pins.note}\n`);
  }
  for (const result of results) console.log(`${caseTable(result)}\n`);
  if (idle.length > 0) console.log(`${memoryTable(idle, connections)}\n`);
  const missing = [...absent].map(([title, why]) => `- ${title}: ${why}`).join("\n");
  const closing = [missing, generatorNote(results), targetTable(results, idle)].filter(Boolean);
  console.log(closing.join("\n\n"));
  if (chosen.raw !== undefined) writeRaw(chosen.raw, results, idle);
  const reasons = [...results, ...idle].flatMap(({ failures }) => [...failures.values()]);
  return [...reasons, ...absent.values()].some((why) => why.startsWith("failed")) ? 1 : 0;
}

function machine(): string {
  const model = cpus()[0]?.model ?? "an unknown processor";
  const kernel = release().split("-")[0];
  return `Deno ${Deno.version.deno}, ${availableParallelism()} cores (${model}), Linux ${kernel}.`;
}

function writeRaw(file: string, results: CaseResult[], idle: IdleResult[]): void {
  const cases = results.map(({ load, samples }) => [load.name, Object.fromEntries(samples)]);
  const bytes = idle.map(({ idle, bytes }) => [idle.name, Object.fromEntries(bytes)]);
  writeFileSync(file, JSON.stringify(Object.fromEntries([...cases, ...bytes])));
}

try {
  process.exitCode = await main();
} catch (error) {
  const usage = error instanceof Usage ||
    (error as { code?: string }).code?.startsWith("ERR_PARSE");
  if (!usage && !(error instanceof Missing)) throw error;
  console.error(`bench:echo: ${(error as Error).message}`);
  process.exitCode = usage ? 2 : 1;
} finally {
  killAll();
}
