/**
 * `deno task bench:echo`: echo servers measured side by side in one run, as a table of ratios.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { killAll } from "./echo/children.ts";
import { type IdleResult, measureMemory } from "./echo/memory.ts";
import { caseTable, generatorNote, memoryTable } from "./echo/report.ts";
import { type CaseResult, measureRounds } from "./echo/rounds.ts";
import { IDLE_CASES, LOAD_CASES, type Server, start, SUBJECTS } from "./echo/subjects.ts";
import { targetTable } from "./echo/targets.ts";
import { compile, Missing, type Pinning, pinning } from "./echo/tools.ts";

const HELP = `Measures echo servers side by side and prints Markdown tables of ratios.

usage: deno task bench:echo [options]

  --only NAMES    only these servers, by comma
  --case NAMES    only these cases, by comma
  --rounds N      how many rounds (default 31)
  --slice MS      how long a server is measured in a round (default 250)
  --repeats N     how often memory is measured (default 3)
  --quick         3 rounds of 200 ms, memory once with 2,000 connections: a check of the bench
  --no-pin        let the scheduler choose the cores
  --raw FILE      also write every measurement to FILE, as JSON
  -h, --help      this text

servers: ${SUBJECTS.map(({ name }) => name).join(", ")}
cases: ${[...LOAD_CASES, ...IDLE_CASES].map(({ name }) => name).join(", ")}
`;

/** A mistake on the command line. */
class Usage extends Error {}

function options() {
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
    rounds: count(values.rounds, quick ? 3 : 31),
    slice: count(values.slice, quick ? 200 : 250),
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

/** What is not installed is no failure. */
function why(error: unknown): string {
  const { message } = error as Error;
  return error instanceof Missing ? message : `failed: ${message}`;
}

function say(text: string): void {
  console.error(`bench:echo: ${text}`);
}

/** Measures the chosen servers under load, and tells which could not be started. */
async function throughput(
  { subjects, loads, rounds, slice }: ReturnType<typeof options>,
  load: string,
  pins: Pinning,
  absent: Map<string, string>,
): Promise<CaseResult[]> {
  const servers = new Map<string, Server>();
  const present = [];
  for (const subject of subjects.filter((subject) => subject.throughput)) {
    try {
      servers.set(subject.name, await start(subject, pins.server));
      present.push(subject);
    } catch (error) {
      absent.set(subject.title, why(error));
    }
  }
  const command = [...pins.load, load];
  const results = await measureRounds(present, servers, loads, {
    rounds,
    slice,
    load: command,
    progress: say,
  });
  for (const { child } of servers.values()) await child.stop();
  return results;
}

/** Measures the memory of the chosen servers' idle connections. */
async function memory(
  { subjects, idles, connections, repeats }: ReturnType<typeof options>,
  load: string,
  absent: Map<string, string>,
): Promise<IdleResult[]> {
  const present = [];
  for (const subject of subjects.filter((subject) => subject.memory)) {
    try {
      await subject.command();
      present.push(subject);
    } catch (error) {
      absent.set(subject.title, why(error));
    }
  }
  if (present.length === 0) return [];
  return await measureMemory(present, idles, { connections, repeats, load, progress: say });
}

async function main(): Promise<number> {
  const chosen = options();
  if (chosen.help) {
    console.log(HELP);
    return 0;
  }
  if (process.platform !== "linux") throw new Missing("it reads /proc: it needs Linux");
  const load = compile("load");
  const pins = pinning(!chosen["no-pin"]);
  const absent = new Map<string, string>();
  const results = chosen.loads.length === 0 ? [] : await throughput(chosen, load, pins, absent);
  const idle = chosen.idles.length === 0 ? [] : await memory(chosen, load, absent);

  console.log(`${machine()}\n`);
  if (results.length > 0) {
    console.log(`${chosen.rounds} rounds of ${chosen.slice} ms each. ${pins.note}\n`);
  }
  for (const result of results) console.log(`${caseTable(result)}\n`);
  if (idle.length > 0) console.log(`${memoryTable(idle, chosen.connections)}\n`);
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
