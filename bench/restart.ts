/**
 * `deno task bench:restart`: servers that are restarted with SIGUSR2 under new connections, with a
 * verdict: it fails if a connection is lost.
 *
 * @module
 */

import { toggle, type Values } from "../lib/cli/io/flags.ts";
import { Report } from "../scripts/report.ts";
import { isHere } from "../tests/support/programs.ts";
import { RATE, type Restarts, restartUnderLoad, SERVERS } from "../tests/support/restart.ts";
import { bench, chosen, count, listed, names, opening, type Run, runBench } from "./common/cli.ts";
import { TARGETS } from "./reliability/targets.ts";

const FULL = 20;
const QUICK = 2;

const MODES = SERVERS.map((name) => ({ name }));

const FLAGS = {
  on: names(TARGETS, "only on these runtimes"),
  only: names(MODES, "only these servers"),
  restarts: count("N", FULL, "how often each server is restarted"),
  quick: toggle(`${QUICK} restarts: a check of the bench`),
};

/** Throws if a connection was lost; returns what happened in words. */
async function lose(restarts: Restarts, sharesPort: boolean): Promise<string> {
  const { done, errors, alive, migrates } = await restartUnderLoad(restarts);
  const kernel = !sharesPort
    ? ""
    : migrates
    ? "; net.ipv4.tcp_migrate_req is 1"
    : "; net.ipv4.tcp_migrate_req is not 1: resets are expected, and fail all the same";
  const told = `${done} connections served, ${errors.length} lost${kernel}`;
  if (errors.length > 0) throw new Error(`${told}\nThe first: ${errors[0]}`);
  if (alive) throw new Error(`A process did not stop: ${told}`);
  return told;
}

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const { restarts = values.quick ? QUICK : FULL } = values;
  const report = new Report();
  console.log(opening(values.quick));
  for (const target of chosen(TARGETS, values.on)) {
    const server = await target.command();
    const sharesPort = target.name === "deno";
    // A network of its own, where the kernel can be told to move who waits.
    const isolated = sharesPort && isHere("network-namespaces");
    for (const mode of SERVERS.filter((name) => values.only.includes(name))) {
      const title = `${target.name}: ${mode}, ${restarts} restarts, ${RATE} connections a second`;
      await report.check(title, async () => {
        const told = await lose({ mode, server, restarts, isolated }, sharesPort);
        say(`${target.name} ${mode}: ${told}`);
      });
    }
  }
  return report.end();
}

export const run: Run = bench({
  task: "bench:restart",
  about: "Restarts servers under load with SIGUSR2, and fails if a connection is lost.",
  flags: FLAGS,
  notes: `runtimes: ${listed(TARGETS)}\nservers: ${listed(MODES)}\n` +
    "It needs python3. On Deno it runs in a network namespace, where one can be made.",
  measure,
});

if (import.meta.main) await runBench(run);
