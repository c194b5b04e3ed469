/**
 * `deno task chaos`: servers that are killed, disks that are full, files that change and networks that
 * break, again and again with other seeds, with a verdict.
 *
 * @module
 */

import { counted } from "../lib/base/counted.ts";
import { integer, toggle, type Values } from "../lib/cli/io/flags.ts";
import { Report } from "../scripts/report.ts";
import { changeFiles, changeLate, fillDisk } from "../tests/reliability/disk.ts";
import { breakTransfers, goOn } from "../tests/reliability/faults.ts";
import { drain, killRelayWorkers, killServer, killWebWorkers } from "../tests/reliability/stops.ts";
import type { Subject } from "../tests/reliability/subject.ts";
import { isHere } from "../tests/support/programs.ts";
import { bench, chosen, count, listed, names, type Run, runBench } from "./common/cli.ts";
import { tool } from "./common/tools.ts";
import { TARGETS } from "./reliability/targets.ts";

const [SECONDS, QUICK_SECONDS] = [180, 1];

/** The most rounds of one scenario on one runtime. */
const MOST_ROUNDS = 10_000;

/** What idle connections get to end in when the server stops, in milliseconds. */
const IDLE_MS = 1000;

const SCENARIOS: readonly { name: string; title: string; run(subject: Subject): Promise<void> }[] =
  [
    {
      name: "drain",
      title: "SIGTERM with 50 downloads and 50 idle: 50 whole, idle ended within 1 s, exit 0",
      async run(subject) {
        const took = await drain(subject, 50);
        if (took > IDLE_MS) {
          throw new Error(`The idle connections ended after ${took.toFixed()} ms`);
        }
      },
    },
    {
      name: "kill",
      title: "SIGKILL of a server in uploads: what was acknowledged is there, nothing is half",
      run: killServer,
    },
    {
      name: "workers",
      title: "SIGKILL of a relay's workers in uploads: nothing is half, new workers carry on",
      run: killRelayWorkers,
    },
    {
      name: "web-workers",
      title: "SIGKILL of a web server's workers in uploads: the same",
      run: killWebWorkers,
    },
    {
      name: "disk",
      title: "uploads to a full disk: 507, nothing left, the server goes on",
      run: fillDisk,
    },
    {
      name: "files",
      title: "files that vanish, shrink, grow and change under curl: no mixture looks whole",
      run: changeFiles,
    },
    {
      name: "late-files",
      title: "the same while a client waits: the file as it was, or not whole",
      run: changeLate,
    },
    {
      name: "network",
      title: "curl through networks that break: no part is taken for the whole",
      run: breakTransfers,
    },
    { name: "resume", title: "get -C --retry through breaks: the file is whole", run: goOn },
  ];

const FLAGS = {
  on: names(TARGETS, "only on these runtimes"),
  only: names(SCENARIOS, "only these scenarios"),
  seconds: count("N", SECONDS, "how long in all"),
  seed: integer("N", [0, 2 ** 32 - 1], 1, "the first seed (default 1)"),
  quick: toggle("each scenario once on each runtime"),
};

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const { quick, seed: first, seconds = quick ? QUICK_SECONDS : SECONDS } = values;
  tool("curl");
  const targets = chosen(TARGETS, values.on);
  const scenarios = chosen(SCENARIOS, values.only)
    .filter(({ name }) => isHere("mount-namespaces") || name !== "disk");
  if (!isHere("mount-namespaces")) {
    say("disk: not run, since no mount namespace can be made here");
  }
  const share = seconds * 1000 / (targets.length * scenarios.length);
  const report = new Report();
  for (const target of targets) {
    const command = await target.command();
    for (const { name, title, run } of scenarios) {
      let seed = first;
      const end = performance.now() + share;
      const passed = await report.check(`${target.name}: ${title}`, async () => {
        do {
          await run({ command, seed });
          seed++;
        } while (performance.now() < end && seed - first < MOST_ROUNDS);
      });
      if (passed) say(`${target.name} ${name}: ${counted(seed - first, "round")}`);
      else say(`again: deno task chaos --on ${target.name} --only ${name} --seed ${seed}`);
    }
  }
  return report.end();
}

export const run: Run = bench({
  task: "chaos",
  about: "Breaks servers, disks, files and networks under real clients, and says what holds.",
  flags: FLAGS,
  notes: `runtimes: ${listed(TARGETS)}\nscenarios: ${listed(SCENARIOS)}`,
  measure,
});

if (import.meta.main) await runBench(run);
