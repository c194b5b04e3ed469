/**
 * `deno task bench:http`: web servers and clients measured side by side in one run, as tables of
 * ratios.
 *
 * @module
 */

import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { killAll } from "./common/children.ts";
import { BIN, Missing, pinning, which } from "./common/tools.ts";
import { measureDownloads, measureMemory } from "./http/download.ts";
import { caseTable, downloadTable, targetTable } from "./http/report.ts";
import { measureRounds } from "./http/rounds.ts";
import { CASES, SUBJECTS } from "./http/subjects.ts";

const HELP = `Measures web servers and clients side by side and prints Markdown tables of ratios.

usage: deno task bench:http [options]

  --only NAMES    only these servers, by comma
  --case NAMES    only these cases, by comma
  --rounds N      how many rounds (default 9)
  --slice S       seconds that a server is measured in a round (default 2)
  --no-pin        let the scheduler choose the cores
  -h, --help      this text

servers: ${SUBJECTS.map(({ name }) => name).join(", ")}
cases: ${CASES.map(({ name }) => name).join(", ")}, download, memory

It needs wrk and nginx-light, from Debian, and installs the servers of npm by itself.
`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    case: { type: "string" },
    rounds: { type: "string", default: "9" },
    slice: { type: "string", default: "2" },
    "no-pin": { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

function chosen(names: string | undefined, name: string): boolean {
  return names === undefined || names.split(",").includes(name);
}

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

async function main(): Promise<void> {
  if (values.help) return console.log(HELP);
  const wrk = which("wrk");
  if (wrk === undefined) throw new Missing("not installed: apt-get install wrk");
  const dir = makeFiles();
  const pins = pinning(!values["no-pin"]);
  const subjects = SUBJECTS.filter(({ name }) => chosen(values.only, name));
  const cases = CASES.filter(({ name }) => chosen(values.case, name));
  const [rounds, slice] = [Number(values.rounds), Number(values.slice)];
  const progress = (text: string) => console.error(`bench:http: ${text}`);

  const kernel = release().split("-")[0];
  console.log(
    `Deno ${Deno.version.deno}, ${availableParallelism()} cores (${cpus()[0]?.model}), Linux ` +
      `${kernel}. ${rounds} rounds of ${slice} s each, wrk -t1. ${pins.note}\n`,
  );
  const results = await measureRounds(subjects, cases, { rounds, slice, wrk, dir, pins, progress });
  for (const result of results) console.log(`${caseTable(result)}\n`);
  if (chosen(values.case, "download")) {
    progress("downloads");
    console.log(`${downloadTable(await measureDownloads(dir, rounds))}\n`);
  }
  if (chosen(values.case, "memory")) {
    for (const subject of subjects.filter(({ name }) => /^(web-|nginx$|sirv|serve)/.test(name))) {
      progress(`memory of ${subject.title}`);
      const mib = (await measureMemory(subject, dir)) / 2 ** 20;
      console.log(`${subject.title}: ${mib.toFixed(1)} MiB over idle with 50 downloads at once.\n`);
    }
  }
  const targets = targetTable(results);
  if (targets !== undefined) console.log(targets);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.error(`bench:http: ${error.message}`);
  process.exitCode = 1;
} finally {
  killAll();
}
