/**
 * Runs many cases against a server, some at a time.
 *
 * @module
 */

import { dial } from "../../../dial.ts";
import { aText, type Case, type Section } from "./case.ts";
import { exchange } from "./exchange.ts";
import { text } from "./frame.ts";
import { FrameReader } from "./frame_reader.ts";
import { Link } from "./case_connection.ts";
import { judge } from "./match.ts";
import type { Result, SectionResult } from "./result.ts";
import { open, runCase, type RunOptions } from "./run_case.ts";

/** Options of {@linkcode runAll}. */
export interface RunAllOptions extends RunOptions {
  /** The number of cases that run at the same time. */
  readonly parallel: number;
  /** The time for all cases, in milliseconds; 0 for no limit. Those left then are skipped. */
  readonly maxTime: number;
}

/** Runs the cases of all sections. Rejects only when `signal` is aborted. */
export async function runAll(
  sections: readonly Section[],
  options: RunAllOptions,
): Promise<SectionResult[]> {
  const { parallel, maxTime, clock } = options;
  const cases = sections.flatMap(({ cases }) => cases);
  const results = new Map<Case, Result>();
  const until = maxTime === 0 ? Infinity : clock.now() + maxTime;
  const queue = cases.values();
  const work = async () => {
    for (const one of queue) {
      const isLate = clock.now() >= until;
      results.set(one, isLate ? skipped(one) : await runCase(one, options));
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, cases.length) }, work));
  return sections.map((section) => ({
    section,
    results: section.cases.map((one) => results.get(one)!),
  }));
}

function skipped(one: Case): Result {
  const why = "the time was over";
  return { case: one, verdict: "skipped", why, sent: new Uint8Array(0), got: "" };
}

/**
 * Whether the server is one that can be tested. A string says why not. Rejects with a SocketError if it
 * cannot be reached.
 */
export async function whyUntestable(options: RunOptions): Promise<string | undefined> {
  const { transport, target, timeout, clock, signal } = options;
  const limits = { signal, timeout, clock };
  using link = new Link(await dial(transport, { ...target.destination, ...limits }), clock);
  const opened = await open(link, target, undefined, timeout);
  if (typeof opened === "string") return opened;
  const hello = "hello";
  const one = {
    type: "frames",
    id: "",
    rfc: "",
    rule: "",
    title: "",
    send: [text(hello)],
    expect: [{ type: "echo", events: [aText(hello)] }],
  } as const;
  const reader = new FrameReader("server", undefined);
  const { rest } = opened;
  const seen = await exchange(one, link, reader, { role: "client", rest, timeout, clock });
  const { verdict, why } = judge(one, seen);
  return verdict === "fail" ? `it does not send back a text message: ${why}` : undefined;
}
