/**
 * `deno task bench:tls`: TLS servers measured side by side in one run, as tables of ratios.
 *
 * @module
 */

import { toggle, type Values } from "../lib/cli/io/flags.ts";
import {
  bench,
  chosen,
  count,
  listed,
  names,
  NO_PIN,
  opening,
  type Run,
  runBench,
} from "./common/cli.ts";
import { exitCode, whyNot } from "./common/rounds.ts";
import { pinning } from "./common/tools.ts";
import { caseTable, idleTable, targetTable } from "./tls/report.ts";
import { CASES, measureIdle, measureRounds } from "./tls/rounds.ts";
import { makeSite, SUBJECTS } from "./tls/subjects.ts";

const FULL = { rounds: 4, slice: 1 };
const QUICK = { rounds: 1, slice: 1 };
const MEMORY = { name: "memory" };
const ALL_CASES = [...CASES, MEMORY];

const FLAGS = {
  only: names(SUBJECTS, "only these servers"),
  case: names(ALL_CASES, "only these cases"),
  rounds: count("N", FULL.rounds, "how many rounds"),
  slice: count("S", FULL.slice, "seconds that a server is measured in a round"),
  quick: toggle("1 round of 1 s: a check of the bench"),
  "no-pin": NO_PIN,
};

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const usual = values.quick ? QUICK : FULL;
  const { rounds = usual.rounds, slice = usual.slice } = values;
  const subjects = chosen(SUBJECTS, values.only);
  const pins = pinning(!values["no-pin"]);
  const site = await makeSite();
  const options = { rounds, slice, site, pins, progress: say };
  const results = await measureRounds(subjects, chosen(CASES, values.case), options);
  const reasons = results.flatMap(({ failures }) => [...failures.values()]);

  console.log(opening(values.quick, `${rounds} rounds of ${slice} s each. ${pins.note}`));
  for (const result of results) console.log(`${caseTable(result)}\n`);
  if (values.case.includes(MEMORY.name)) {
    const idle = new Map<string, number>();
    for (const subject of subjects) {
      say(`memory of ${subject.title}`);
      try {
        idle.set(subject.title, await measureIdle(subject, site));
      } catch (error) {
        reasons.push(whyNot(error));
        console.log(`- ${subject.title}: ${whyNot(error)}`);
      }
    }
    console.log(`${idleTable(idle)}\n`);
  }
  const targets = targetTable(results);
  if (targets !== undefined) console.log(targets);
  return exitCode(reasons);
}

export const run: Run = bench({
  task: "bench:tls",
  about: "Measures TLS servers side by side and prints Markdown tables of ratios.",
  flags: FLAGS,
  notes: `servers: ${listed(SUBJECTS)}
cases: ${listed(ALL_CASES)}

It needs wrk, openssl, curl, python3 and nginx-light, from Debian. A full run takes about three
minutes once Node is installed.`,
  measure,
});

if (import.meta.main) await runBench(run);
