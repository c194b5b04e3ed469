/**
 * `deno task attack`: attacks on the web server, with a probe that has to be answered within a second
 * all the while, and a verdict.
 *
 * @module
 */

import { toggle, type Values } from "../lib/cli/io/flags.ts";
import { Report } from "../scripts/report.ts";
import {
  dropBombs,
  floodTls,
  type Force,
  neverRead,
  overwork,
  slow,
  SLOW_MODES,
} from "../tests/reliability/attacks.ts";
import { verdicts } from "../tests/reliability/fuzz.ts";
import type { Probed } from "../tests/reliability/probe.ts";
import type { Subject } from "../tests/reliability/subject.ts";
import { bench, chosen, count, listed, names, type Run, runBench } from "./common/cli.ts";
import { tool } from "./common/tools.ts";
import { TARGETS } from "./reliability/targets.ts";

const FULL = { connections: 1000, seconds: 12, messages: 100_000 };
const QUICK = { connections: 100, seconds: 2, messages: 2000 };

/** The longest that the probe may wait for its answer, in milliseconds. */
const ANSWER_MS = 1000;

/** The most memory that a server under attack may have resident, in bytes. */
const MEMORY = 512 * 1024 * 1024;

interface Attack {
  readonly name: string;
  readonly title: string;
  /** Whether it is to take all places of the server, of which there are half as many as connections. */
  readonly takesAll?: boolean;
  readonly run: (subject: Subject, force: Force) => Promise<Probed>;
}

/** Each mode of slowhttptest with places left, with all of its address taken, and with all taken. */
const SLOW: readonly Attack[] = Object.keys(SLOW_MODES).flatMap((mode) => [
  {
    name: `slow-${mode}`,
    title: `slowhttptest, slow ${mode}, places left`,
    run: (subject: Subject, force: Force) => slow(subject, [mode], force),
  },
  {
    name: `slow-${mode}-address`,
    title: `slowhttptest, slow ${mode}, all places of its address taken`,
    run: (subject: Subject, force: Force) =>
      slow(subject, [mode], force, ["--max-per-address", String(force.connections / 2)]),
  },
  {
    name: `slow-${mode}-cap`,
    title: `slowhttptest, slow ${mode}, all places taken`,
    // So many ranges are more than a head may have: they are refused at once.
    takesAll: mode !== "range",
    run: (subject: Subject, force: Force) =>
      slow(subject, [mode], force, ["--max-connections", String(force.connections / 2)]),
  },
]);

const ATTACKS: readonly Attack[] = [
  ...SLOW,
  {
    name: "tls",
    title: "connections to TLS that close at once, within the handshake and behind it",
    run: (subject, { connections, seconds }) =>
      floodTls(subject, { connections: 5 * connections, seconds }),
  },
  {
    name: "unread",
    title: "clients that read nothing of 16 MiB each",
    run: neverRead,
  },
  {
    name: "bombs",
    title: "bombs of heads, chunks and ranges",
    run: (subject, { connections, seconds }) =>
      dropBombs(subject, { connections: 5 * connections, seconds }),
  },
  {
    name: "work",
    title: "listings of 1,000 files and compressions of 1 MiB at once",
    run: (subject, { connections, seconds }) =>
      overwork(subject, { connections: connections / 10, seconds }),
  },
];

const FUZZ = { name: "fuzz" };

const FLAGS = {
  on: names(TARGETS, "only on these runtimes"),
  only: names([...ATTACKS, FUZZ], "only these attacks"),
  connections: count("N", FULL.connections, "connections of an attack"),
  seconds: count("N", FULL.seconds, "how long an attack lasts that has no end of its own"),
  messages: count("N", FULL.messages, "messages that nobody thought of"),
  quick: toggle("100 connections, 2 seconds, 2,000 messages: a check of the task"),
};

/** Returns what the probe met, in words. Throws if it waited too long, or fewer sockets were open. */
function judge(
  { answered, failures, worst, memory, sockets }: Probed,
  least: number,
): string {
  const told = `${answered} answers, the slowest after ${worst.toFixed()} ms; ` +
    `${(memory / 1024 / 1024).toFixed()} MiB of memory, ${sockets} sockets`;
  if (failures.length > 0) throw new Error(`Not answered: ${failures[0]}. ${told}`);
  if (worst > ANSWER_MS) throw new Error(`Not answered within ${ANSWER_MS} ms: ${told}`);
  if (sockets < least) throw new Error(`Not all ${least} places were taken: ${told}`);
  if (memory > MEMORY) throw new Error(`More than ${MEMORY / 1024 / 1024} MiB: ${told}`);
  return told;
}

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const usual = values.quick ? QUICK : FULL;
  const { connections = usual.connections, seconds = usual.seconds } = values;
  const { messages = usual.messages } = values;
  const attacks = chosen(ATTACKS, values.only);
  for (const name of ["curl", "slowhttptest"]) tool(name);
  const report = new Report();
  const digests = new Map<string, string>();
  for (const target of chosen(TARGETS, values.on)) {
    const subject = { command: await target.command(), seed: 1 };
    for (const { name, title, takesAll = false, run } of attacks) {
      await report.check(`${target.name}: ${title}`, async () => {
        const probed = await run(subject, { connections, seconds });
        say(`${target.name} ${name}: ${judge(probed, takesAll ? connections / 2 : 0)}`);
      });
    }
    if (!values.only.includes(FUZZ.name)) continue;
    await report.check(`${target.name}: ${messages} messages that nobody thought of`, async () => {
      const { digest, counts } = await verdicts(subject, messages);
      say(`${target.name} fuzz: ${JSON.stringify(counts)}`);
      digests.set(target.name, digest);
      if (new Set(digests.values()).size > 1) {
        throw new Error(`The verdicts differ: ${JSON.stringify(Object.fromEntries(digests))}`);
      }
    });
  }
  return report.end();
}

export const run: Run = bench({
  task: "attack",
  about: "Attacks the web server, and says whether others are answered within a second.",
  flags: FLAGS,
  notes: `runtimes: ${listed(TARGETS)}\nattacks: ${listed([...ATTACKS, FUZZ])}`,
  measure,
});

if (import.meta.main) await runBench(run);
