/**
 * `deno task bench:relay`: relays measured side by side in one run, as tables of ratios.
 *
 * @module
 */

import { availableParallelism, cpus, release } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { Child, killAll } from "./common/children.ts";
import { compile, Missing, pinning } from "./common/tools.ts";
import { measureRounds } from "./echo/rounds.ts";
import { type Ready, source as echoSource } from "./echo/subjects.ts";
import { caseTable, targetTable } from "./relay/report.ts";
import { backend, CONNS_CASE, LOAD_CASES, source, subjects } from "./relay/subjects.ts";

const HELP = `Measures relays side by side and prints Markdown tables of ratios.

usage: deno task bench:relay [options]

  --only NAMES    only these relays, by comma
  --case NAMES    only these cases, by comma
  --rounds N      how many rounds (default 41)
  --slice MS      how long a relay is measured in a round (default 200)
  --quick         3 rounds of 100 ms: a check of the bench
  --no-pin        let the scheduler choose the cores
  -h, --help      this text

relays: ${subjects(0).map(({ name }) => name).join(", ")}
cases: ${[...LOAD_CASES, CONNS_CASE].map(({ name }) => name).join(", ")}

It needs socat and haproxy, from Debian.
`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    case: { type: "string" },
    rounds: { type: "string" },
    slice: { type: "string" },
    quick: { type: "boolean", default: false },
    "no-pin": { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

function chosen(names: string | undefined, name: string): boolean {
  return names === undefined || names.split(",").includes(name);
}

function say(text: string): void {
  console.error(`bench:relay: ${text}`);
}

async function main(): Promise<void> {
  if (values.help) return console.log(HELP);
  const [load, conns] = [compile(echoSource("load.c")), compile(source("conns.c"))];
  const { quick } = values;
  const [rounds, slice] = [
    Number(values.rounds ?? (quick ? 3 : 41)),
    Number(values.slice ?? (quick ? 100 : 200)),
  ];
  const pins = pinning(!values["no-pin"]);
  // The echo server shares the generator's core, so that the relay has its own.
  const echo = new Child([...pins.load, ...backend()]);
  const all = subjects(Number(await echo.line())).filter(({ name }) => chosen(values.only, name));
  const ready: Ready[] = [];
  for (const subject of all) ready.push({ subject, command: await subject.command() });

  const options = { rounds, slice, pins, spin: false, progress: say };
  const loads = LOAD_CASES.filter(({ name }) => chosen(values.case, name));
  const short = [CONNS_CASE].filter(({ name }) => chosen(values.case, name));
  const results = [
    ...await measureRounds(ready, loads, { ...options, load }),
    ...await measureRounds(ready, short, { ...options, load: conns }),
  ];
  await echo.stop();

  const [model, kernel] = [cpus()[0]?.model, release().split("-")[0]];
  console.log(
    `Deno ${Deno.version.deno}, ${availableParallelism()} cores (${model}), Linux ${kernel}. ` +
      `${rounds} rounds of ${slice} ms each. ${pins.note} The echo server behind the relays shares ` +
      "the generator's core.\n",
  );
  if (quick) console.log("A quick run, to see that the bench works: conclude nothing from it.\n");
  for (const result of results) console.log(`${caseTable(result, all)}\n`);
  const targets = targetTable(results);
  if (targets !== undefined) console.log(targets);
  if (results.some(({ failures }) => failures.size > 0)) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.error(`bench:relay: ${error.message}`);
  process.exitCode = 1;
} finally {
  killAll();
}
