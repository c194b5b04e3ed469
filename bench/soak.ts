/**
 * `deno task soak`: the echo server under 10,000 idle connections, 1,000 active ones, and 100,000 that
 * come and go, with a verdict.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { toggle, type Values } from "../lib/cli/io/flags.ts";
import { Report } from "../scripts/report.ts";
import { type Load, soak } from "../tests/reliability/soak.ts";
import { chosen, count, listed, names, opening, runBench } from "./common/cli.ts";
import { resident } from "./common/processes.ts";
import { TARGETS } from "./reliability/targets.ts";

const FULL: Load = {
  idle: 10_000,
  active: 1000,
  opened: 100_000,
  seconds: 600,
  pause: 200,
  quiet: 15_000,
};
const QUICK: Load = { idle: 1000, active: 100, opened: 2000, seconds: 5, pause: 200, quiet: 1000 };

/**
 * How much more memory a server may have behind the load than before it, all connections being open;
 * and the bytes by which it goes up and down between two collections.
 */
const GROWTH = 1.1;
const BETWEEN_COLLECTIONS = 64 * 1024 * 1024;

/** In less time than that the memory that a runtime takes at its start is most of it. */
const LEAST_SECONDS = 60;

/** A process has some for itself, and others are opened for connections that come and go. */
const SPARE_DESCRIPTORS = 200;

const FLAGS = {
  on: names(TARGETS, "only on these runtimes"),
  idle: count("N", FULL.idle, "idle connections"),
  active: count("N", FULL.active, "active connections"),
  opened: count("N", FULL.opened, "connections that come and go"),
  seconds: count("N", FULL.seconds, "how long on each runtime"),
  quick: toggle("1,000 idle, 100 active, 2,000 opened, 5 seconds: a check of the task"),
};

/** How many files a process may open. */
function mostDescriptors(): number {
  const { stdout } = spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" });
  return stdout.trim() === "unlimited" ? Infinity : Number(stdout);
}

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const usual = values.quick ? QUICK : FULL;
  const { active = usual.active, opened = usual.opened, seconds = usual.seconds } = values;
  const wanted = values.idle ?? usual.idle;
  const idle = Math.min(wanted, mostDescriptors() - active - SPARE_DESCRIPTORS);
  if (idle < wanted) say(`${idle} idle connections only: raise the limit with 'ulimit -n'`);
  const { pause, quiet } = usual;
  const load = { idle, active, opened, seconds, pause, quiet };
  const report = new Report();
  console.log(opening(values.quick));
  for (const target of chosen(TARGETS, values.on)) {
    const command = await target.command();
    const title = `${idle} idle, ${active} active, ${opened} opened and closed in ${seconds} s`;
    await report.check(`${target.name}: ${title}`, async () => {
      const memory: number[] = [];
      const times = await soak(
        { command, seed: 1 },
        load,
        (pid) => memory.push(resident([pid])),
      );
      const [before, after] = memory;
      const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed()} MiB`;
      const ms = (time: number) => `${time.toFixed(1)} ms`;
      say(
        `${target.name}: ${times.messages} messages, p50 ${ms(times.p50)}, p99 ${ms(times.p99)}, ` +
          `worst ${ms(times.worst)}; ${times.opened} connections, p99 ${ms(times.openedP99)}; ` +
          `memory ${mib(before)} before, ${mib(after)} after`,
      );
      if (seconds < LEAST_SECONDS) return;
      if (after > GROWTH * before + BETWEEN_COLLECTIONS) {
        throw new Error(`Memory grew from ${mib(before)} to ${mib(after)}`);
      }
    });
  }
  return report.end();
}

await runBench({
  task: "soak",
  about: "Puts the echo server under many connections for long, and says what holds.",
  flags: FLAGS,
  notes: `runtimes: ${listed(TARGETS)}`,
  measure,
});
