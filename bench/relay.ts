/**
 * `deno task bench:relay`: relays measured side by side in one run, as tables of ratios.
 *
 * @module
 */

import { toggle, type Values } from "../lib/cli/io/flags.ts";
import { Child } from "./common/children.ts";
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
import { failureNotes } from "./common/report.ts";
import { exitCode } from "./common/rounds.ts";
import { compile, pinning } from "./common/tools.ts";
import { measureRounds } from "./echo/rounds.ts";
import { prepare, source as echoSource } from "./echo/subjects.ts";
import { caseTable, targetTable } from "./relay/report.ts";
import { backend, CONNS_CASE, LOAD_CASES, source, subjects } from "./relay/subjects.ts";

const FULL = { rounds: 41, slice: 200 };
const QUICK = { rounds: 3, slice: 100 };
const RELAYS = subjects(0);
const CASES = [...LOAD_CASES, CONNS_CASE];

const FLAGS = {
  only: names(RELAYS, "only these relays"),
  case: names(CASES, "only these cases"),
  rounds: count("N", FULL.rounds, "how many rounds"),
  slice: count("MS", FULL.slice, "how long a relay is measured in a round"),
  quick: toggle("3 rounds of 100 ms: a check of the bench"),
  "no-pin": NO_PIN,
};

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const usual = values.quick ? QUICK : FULL;
  const { rounds = usual.rounds, slice = usual.slice } = values;
  const [load, conns] = [compile(echoSource("load.c")), compile(source("conns.c"))];
  const pins = pinning(!values["no-pin"]);
  // The echo server shares the generator's core, so that the relay has its own.
  const echo = new Child([...pins.load, ...backend()]);
  const all = chosen(subjects(Number(await echo.line())), values.only);
  const { ready, absent } = await prepare(all);

  const options = { rounds, slice, pins, spin: false, progress: say };
  const loads = chosen(LOAD_CASES, values.case);
  const short = chosen([CONNS_CASE], values.case);
  const results = [
    ...await measureRounds(ready, loads, { ...options, load }),
    ...await measureRounds(ready, short, { ...options, load: conns }),
  ];
  await echo.stop();

  const where = `${pins.note} The echo server behind the relays shares the generator's core.`;
  console.log(opening(values.quick, `${rounds} rounds of ${slice} ms each. ${where}`));
  for (const result of results) console.log(`${caseTable(result, all)}\n`);
  const closing = [failureNotes(absent).join("\n"), targetTable(results)].filter(Boolean);
  if (closing.length > 0) console.log(closing.join("\n\n"));
  const reasons = results.flatMap(({ failures }) => [...failures.values()]);
  return exitCode([...reasons, ...absent.values()]);
}

export const run: Run = bench({
  task: "bench:relay",
  about: "Measures relays side by side and prints Markdown tables of ratios.",
  flags: FLAGS,
  notes: `relays: ${listed(RELAYS)}
cases: ${listed(CASES)}

socat and haproxy, from Debian, are measured where they are installed.`,
  measure,
});

if (import.meta.main) await runBench(run);
