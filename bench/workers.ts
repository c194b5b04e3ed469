/**
 * `deno task bench:workers`: one loop, two processes and two threads, side by side in one run, as a server
 * of messages and as `web`.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import { toggle, type Values } from "../lib/cli/io/flags.ts";
import { bench, chosen, count, listed, names, opening, type Run, runBench } from "./common/cli.ts";
import { compile } from "./common/tools.ts";
import { source } from "./echo/subjects.ts";
import { caseTable, costTable, verdict } from "./workers/report.ts";
import { measureCase, type Result } from "./workers/rounds.ts";
import { CONNECTIONS, LOAD_CASES, SIZE, SUBJECTS } from "./workers/subjects.ts";

const FULL = { rounds: 21, slice: 300, starts: 5 };
const QUICK = { rounds: 3, slice: 100, starts: 1 };

const FLAGS = {
  only: names(SUBJECTS, "only these"),
  case: names(LOAD_CASES, "only these cases"),
  rounds: count("N", FULL.rounds, "how many rounds"),
  slice: count("MS", FULL.slice, "how long each is measured in a round, with wrk in whole seconds"),
  quick: toggle("3 rounds of 100 ms, one start: a check of the bench"),
};

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const { quick } = values;
  const usual = quick ? QUICK : FULL;
  const { rounds = usual.rounds, slice = usual.slice } = values;
  const { starts } = usual;
  const options = { rounds, slice, starts, load: compile(source("load.c")), progress: say };
  const connections = `${CONNECTIONS} connections, messages of ${SIZE} bytes, requests of wrk`;
  console.log(opening(quick, `${connections}, ${rounds} rounds of ${slice} ms.`));
  const subjects = chosen(SUBJECTS, values.only);
  const results: Result[][] = [];
  for (const load of chosen(LOAD_CASES, values.case)) {
    results.push(await measureCase(subjects, load, options));
  }
  for (const result of results) console.log(`${caseTable(result)}\n`);
  console.log(`${costTable(results[0])}\n`);
  console.log(results.map((result) => verdict(result, availableParallelism())).join("\n"));
  return 0;
}

export const run: Run = bench({
  task: "bench:workers",
  about: "Measures one loop, two processes and two threads side by side, and prints Markdown.",
  flags: FLAGS,
  notes: `names: ${listed(SUBJECTS)}\ncases: ${listed(LOAD_CASES)}`,
  measure,
});

if (import.meta.main) await runBench(run);
