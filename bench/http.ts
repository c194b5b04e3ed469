/**
 * `deno task bench:http`: web servers and clients measured side by side in one run, as tables of
 * ratios.
 *
 * @module
 */

import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toggle, type Values } from "../lib/cli/io/flags.ts";
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
import { exitCode } from "./common/rounds.ts";
import { BIN, pinning, tool } from "./common/tools.ts";
import { measureDownloads, measureMemory } from "./http/download.ts";
import { caseTable, downloadTable, targetTable } from "./http/report.ts";
import { measureRounds } from "./http/rounds.ts";
import { CASES, type Subject, SUBJECTS } from "./http/subjects.ts";

const FULL = { rounds: 9, slice: 2 };
const QUICK = { rounds: 2, slice: 1 };
const ALL_CASES = [...CASES, { name: "download" }, { name: "memory" }];

const FLAGS = {
  only: names(SUBJECTS, "only these servers"),
  case: names(ALL_CASES, "only these cases"),
  rounds: count("N", FULL.rounds, "how many rounds"),
  slice: count("S", FULL.slice, "seconds that a server is measured in a round"),
  quick: toggle("2 rounds of 1 s: a check of the bench"),
  "no-pin": NO_PIN,
};

/** The files that are served: text to be compressed, as sites have it, and holes of many bytes. */
function makeFiles(): string {
  const dir = join(BIN, "site");
  mkdirSync(dir, { recursive: true });
  const line = "<p>plainsocket: sockets you can see, and speed that can be measured.</p>\n";
  for (const [name, size] of [["1k.html", 2 ** 10], ["64k.html", 2 ** 16]] as const) {
    writeFileSync(join(dir, name), line.repeat(size / line.length + 1).slice(0, size));
  }
  for (const [name, size] of [["256m.bin", 2 ** 28], ["1g.bin", 2 ** 30]] as const) {
    const file = join(dir, name);
    if (existsSync(file)) continue;
    const fd = openSync(file, "w");
    ftruncateSync(fd, size);
    closeSync(fd);
  }
  return dir;
}

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const usual = values.quick ? QUICK : FULL;
  const { rounds = usual.rounds, slice = usual.slice } = values;
  const subjects = chosen(SUBJECTS, values.only);
  const cases = chosen(CASES, values.case);
  const [downloads, memory] = ["download", "memory"].map((name) => values.case.includes(name));
  const isMeasured = ({ serves }: Subject) => cases.some((load) => load.of === serves);
  if (!downloads && !memory && !subjects.some(isMeasured)) throw nothingChosen();
  const [wrk] = tool("wrk");
  const dir = makeFiles();
  const pins = pinning(!values["no-pin"]);
  const options = { rounds, slice, wrk, dir, pins, progress: say };

  const how = `${rounds} rounds of ${slice} s each, wrk -t1. ${pins.note}`;
  console.log(opening(values.quick, how));
  const results = await measureRounds(subjects, cases, options);
  for (const result of results) console.log(`${caseTable(result)}\n`);
  if (downloads) {
    say("downloads");
    console.log(`${downloadTable(await measureDownloads(dir, rounds))}\n`);
  }
  if (memory) {
    for (const subject of subjects.filter(({ name }) => /^(web-|nginx$|sirv|serve)/.test(name))) {
      say(`memory of ${subject.title}`);
      const mib = (await measureMemory(subject, dir)) / 2 ** 20;
      console.log(`${subject.title}: ${mib.toFixed(1)} MiB over idle with 50 downloads at once.\n`);
    }
  }
  const targets = targetTable(results);
  if (targets !== undefined) console.log(targets);
  return exitCode(results.flatMap(({ failures }) => [...failures.values()]));
}

export const run: Run = bench({
  task: "bench:http",
  about: "Measures web servers and clients side by side and prints Markdown tables of ratios.",
  flags: FLAGS,
  notes: `servers: ${listed(SUBJECTS)}
cases: ${listed(ALL_CASES)}

It needs wrk and nginx-light, from Debian, and installs the servers of npm by itself.`,
  measure,
});

if (import.meta.main) await runBench(run);
