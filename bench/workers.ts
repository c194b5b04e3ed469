/**
 * `deno task bench:workers`: one loop, two processes and two threads, side by side in one run.
 *
 * @module
 */

import { availableParallelism, cpus, release } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { killAll } from "./common/children.ts";
import { compile, Missing } from "./common/tools.ts";
import { source } from "./echo/subjects.ts";
import { caseTable, costTable, verdict } from "./workers/report.ts";
import { measureCase, type Result } from "./workers/rounds.ts";
import { CONNECTIONS, LOAD_CASES, SIZE, SUBJECTS } from "./workers/subjects.ts";

const HELP = `Measures one loop, two processes and two threads side by side, and prints Markdown.

usage: deno task bench:workers [options]

  --only NAMES    only these, by comma
  --case NAMES    only these cases, by comma
  --rounds N      how many rounds (default 21)
  --slice MS      how long each is measured in a round (default 300)
  --quick         3 rounds of 100 ms, one start: a check of the bench
  -h, --help      this text

names: ${SUBJECTS.map(({ name }) => name).join(", ")}
cases: ${LOAD_CASES.map(({ name }) => name).join(", ")}
`;

/** A mistake on the command line. */
class Usage extends Error {}

/** The items that `names` lists, or all. */
function pick<T extends { readonly name: string }>(items: readonly T[], names?: string): T[] {
  if (names === undefined) return [...items];
  const wanted = names.split(",");
  const wrong = wanted.find((name) => !items.some((item) => item.name === name));
  if (wrong !== undefined) throw new Usage(`there is no "${wrong}"; see --help`);
  return items.filter(({ name }) => wanted.includes(name));
}

function count(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Usage(`"${text}" is not a number from 1`);
  return Number(text);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      case: { type: "string" },
      rounds: { type: "string" },
      slice: { type: "string" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (process.platform !== "linux") throw new Missing("it reads /proc: it needs Linux");
  const { quick } = values;
  const subjects = pick(SUBJECTS, values.only);
  const cases = pick(LOAD_CASES, values.case);
  const options = {
    rounds: count(values.rounds, quick ? 3 : 21),
    slice: count(values.slice, quick ? 100 : 300),
    starts: quick ? 1 : 5,
    load: compile(source("load.c")),
    progress: (text: string) => console.error(`bench:workers: ${text}`),
  };
  const cores = availableParallelism();
  const model = cpus()[0]?.model ?? "an unknown processor";
  console.log(
    `Deno ${Deno.version.deno}, ${cores} cores (${model}), Linux ${release().split("-")[0]}. ` +
      `${CONNECTIONS} connections, messages of ${SIZE} bytes, ${options.rounds} rounds of ` +
      `${options.slice} ms.\n`,
  );
  if (quick) console.log("A quick run, to see that the bench works: conclude nothing from it.\n");
  const results: Result[][] = [];
  for (const load of cases) results.push(await measureCase(subjects, load, options));
  for (const result of results) console.log(`${caseTable(result)}\n`);
  console.log(`${costTable(results[0])}\n`);
  console.log(results.map((result) => verdict(result, cores)).join("\n"));
}

try {
  await main();
} catch (error) {
  const usage = error instanceof Usage ||
    (error as { code?: string }).code?.startsWith("ERR_PARSE");
  if (!usage && !(error instanceof Missing)) throw error;
  console.error(`bench:workers: ${(error as Error).message}`);
  process.exitCode = usage ? 2 : 1;
} finally {
  killAll();
}
