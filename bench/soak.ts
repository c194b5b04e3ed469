/**
 * `deno task soak`: the servers under 10,000 idle connections, 1,000 active ones, and 100,000 that come
 * and go, with a verdict.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { toggle, type Values } from "../lib/cli/io/flags.ts";
import { Report } from "../scripts/report.ts";
import { type Load, soak } from "../tests/reliability/soak.ts";
import type { Program } from "../tests/support/peers.ts";
import { type Service, SERVICES } from "../tests/reliability/soak_talks.ts";
import { bench, chosen, count, listed, names, opening, type Run, runBench } from "./common/cli.ts";
import { checkGrowth, type Memory, memoryOf, mib } from "./reliability/memory.ts";
import { TARGETS } from "./reliability/targets.ts";

const FULL: Load = { idle: 10_000, active: 1000, opened: 100_000, seconds: 600, pause: 1000 };
const QUICK: Load = { idle: 1000, active: 100, opened: 2000, seconds: 5, pause: 1000 };

/** A process has some for itself, and others are opened for connections that come and go. */
const SPARE_DESCRIPTORS = 200;

const FLAGS = {
  on: names(TARGETS, "only on these runtimes"),
  server: names(SERVICES, "only these servers, which share the connections"),
  idle: count("N", FULL.idle, "idle connections"),
  active: count("N", FULL.active, "active connections"),
  pause: count("SECONDS", FULL.pause / 1000, "between two messages of an active connection"),
  opened: count("N", FULL.opened, "connections that come and go"),
  seconds: count("N", FULL.seconds, "how long on each runtime"),
  quick: toggle("1,000 idle, 100 active, 2,000 opened, 5 seconds: a check of the task"),
};

/** How many files a process may open. */
function mostDescriptors(): number {
  const { stdout } = spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" });
  return stdout.trim() === "unlimited" ? Infinity : Number(stdout);
}

/** A server and its part of the connections. */
interface Part {
  readonly service: Service;
  readonly load: Load;
}

/** Shares a load among servers; `say` is called if there is no room for all of it. */
function share(load: Load, services: readonly Service[], say: (text: string) => void): Part[] {
  const weights = services.reduce((sum, { weight }) => sum + weight, 0);
  const limit = mostDescriptors() - SPARE_DESCRIPTORS;
  return services.map((service) => {
    const { name, weight, descriptors, most } = service;
    const part = weight / weights;
    const wanted = part * (load.idle + load.active);
    // The clients are all in this process.
    const possible = Math.min(limit / descriptors, part * limit);
    const scale = part * Math.min(1, possible / wanted, most / wanted);
    const of = (n: number) => Math.max(1, Math.floor(scale * n));
    const { idle, active, opened } = load;
    const own = { ...load, idle: of(idle), active: of(active), opened: of(opened) };
    if (scale < part) {
      const why = possible < most
        ? "raise the limit of open files with 'ulimit -n'"
        : "each line of it goes to all members";
      say(`${name}: only ${own.idle} idle, ${own.active} active, ${own.opened} opened: ${why}`);
    }
    return { service, load: own };
  });
}

const ms = (time: number) => `${time.toFixed(1)} ms`;

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const usual = values.quick ? QUICK : FULL;
  const { idle = usual.idle, active = usual.active, seconds = usual.seconds } = values;
  const opened = values.opened ?? Math.ceil(usual.opened * seconds / usual.seconds);
  const pause = values.pause === undefined ? usual.pause : 1000 * values.pause;
  const load = { idle, active, opened, seconds, pause };
  const parts = share(load, chosen(SERVICES, values.server), say);
  const report = new Report();
  console.log(opening(values.quick));
  for (const target of chosen(TARGETS, values.on)) {
    const command = await target.command(true);
    await Promise.all(parts.map(async ({ service, load }) => {
      const { idle, active, opened } = load;
      const title = `${idle} idle, ${active} active, ${opened} opened and closed in ${seconds} s`;
      await report.check(`${target.name}, ${service.name}: ${title}`, async () => {
        const memory: Memory[] = [];
        const subject = { command, seed: 1 };
        const onClosed = async (program: Program) => void memory.push(await memoryOf(program));
        const times = await soak(subject, service, load, { onClosed });
        const [before, after] = memory;
        say(
          `${target.name}, ${service.name}: ${times.messages} messages, p50 ${ms(times.p50)}, ` +
            `p99 ${ms(times.p99)}, worst ${ms(times.worst)}; ` +
            `${times.opened} connections, p99 ${ms(times.openedP99)}; ` +
            `heap ${mib(before.heap)} before, ${mib(after.heap)} after; ` +
            `resident ${mib(before.resident)} before, ${mib(after.resident)} after`,
        );
        checkGrowth(memory);
      });
    }));
  }
  return report.end();
}

export const run: Run = bench({
  task: "soak",
  about: "Puts the servers under many connections for long, and says what holds.",
  flags: FLAGS,
  notes: `runtimes: ${listed(TARGETS)}\nservers: ${listed(SERVICES)}`,
  measure,
});

if (import.meta.main) await runBench(run);
