/**
 * TLS servers measured side by side: all of them run from the start and take turns. What counts is the
 * ratio of two slices of the same round, and of those the median over the rounds.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Child, sleep } from "../common/children.ts";
import { cpuSeconds, family, resident } from "../common/processes.ts";
import { addSample, type CaseResult, thereAndBack, whyNot } from "../common/rounds.ts";
import { type Running, start } from "../common/web_server.ts";
import { type Pinning, tool } from "../common/tools.ts";
import { runWrk } from "../common/wrk.ts";
import type { Site, Subject } from "./subjects.ts";

/** What one slice showed. */
export interface Sample {
  /** How many a second. */
  readonly rate: number;
  /** Microseconds of CPU time that the server, with its children, spent on one. */
  readonly cpu: number;
}

/** How much was done, in how many seconds. */
interface Done {
  readonly count: number;
  readonly seconds: number;
}

/** One kind of load. */
export interface LoadCase {
  /** For `--case`. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** What is counted: one, and several. */
  readonly of: readonly [one: string, several: string];
  /** Puts a server under load for some seconds. */
  readonly load: (port: number, seconds: number, prefix: readonly string[]) => Promise<Done>;
}

/** All slices of one case. */
export type TlsResult = CaseResult<LoadCase, Sample>;

/** How to measure. */
export interface RoundOptions {
  readonly rounds: number;
  /** Seconds of a slice. */
  readonly slice: number;
  readonly site: Site;
  readonly pins: Pinning;
  readonly progress: (text: string) => void;
}

const CLIENTS = 4;
const run = promisify(execFile);

/** Runs a program that ends by itself; resolves to its stdout. */
async function output([program, ...args]: readonly string[], seconds: number): Promise<string> {
  const { stdout } = await run(program, args, { timeout: seconds * 1000 + 30_000 });
  return stdout;
}

/** The cases of load. */
export const CASES: readonly LoadCase[] = [
  {
    name: "requests",
    title: "1 KiB file, 64 connections",
    of: ["response", "responses"],
    async load(port, seconds, prefix) {
      const url = `https://127.0.0.1:${port}/1k.html`;
      const { responses, ...totals } = await runWrk([...prefix, ...tool("wrk")], url, 64, seconds);
      return { count: responses, seconds: totals.seconds };
    },
  },
  {
    name: "handshakes",
    title: "new connections, TLS 1.3, none resumed",
    of: ["handshake", "handshakes"],
    async load(port, seconds, prefix) {
      const args = ["-connect", `127.0.0.1:${port}`, "-new", "-tls1_3", "-time", String(seconds)];
      const client = [...prefix, ...tool("openssl", "s_time", ...args)];
      const reports = await Promise.all(
        Array.from({ length: CLIENTS }, () => output(client, seconds)),
      );
      const counts = reports.map((text) =>
        Number(/^(\d+) connections in .* real/m.exec(text)?.[1])
      );
      return { count: counts.reduce((sum, n) => sum + n), seconds };
    },
  },
  {
    name: "bytes",
    title: "100 MB file, one connection",
    of: ["MB", "MB"],
    async load(port, seconds, prefix) {
      const args = ["-sfk", "-o", "/dev/null", "-w", "%{time_total}"];
      const client = [...prefix, ...tool("curl", ...args, `https://127.0.0.1:${port}/100m.bin`)];
      let [files, taken] = [0, 0];
      for (; taken < seconds / 2; files++) taken += Number(await output(client, seconds));
      return { count: 100 * files, seconds: taken };
    },
  },
];

/** Starts a server, and waits until it answers. */
async function startSubject(
  subject: Subject,
  site: Site,
  prefix: readonly string[],
): Promise<Running> {
  using client = Deno.createHttpClient({ caCerts: [site.trusted] });
  const command = async (port: number) => [...prefix, ...await subject.command(port, site)];
  return await start(command, (port) => `https://127.0.0.1:${port}/1k.html`, client);
}

/** Measures all subjects in all cases. */
export async function measureRounds(
  subjects: readonly Subject[],
  cases: readonly LoadCase[],
  options: RoundOptions,
): Promise<TlsResult[]> {
  if (cases.length === 0) return [];
  const { rounds, site, pins, progress } = options;
  const results = cases.map((load): TlsResult => ({
    load,
    samples: new Map(),
    failures: new Map(),
  }));
  const lanes: { name: string; server: Running }[] = [];
  for (const subject of subjects) {
    progress(`starting ${subject.title}`);
    try {
      const server = await startSubject(subject, site, pins.server);
      lanes.push({ name: subject.name, server });
      for (const { load, samples } of results) {
        await slice(server, load, options);
        samples.set(subject.name, []);
      }
    } catch (error) {
      for (const { failures } of results) failures.set(subject.name, whyNot(error));
    }
  }
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    for (const result of results) {
      for (const { name, server } of thereAndBack(lanes, round)) {
        await addSample(result, name, () => slice(server, result.load, options));
      }
    }
  }
  for (const { server } of lanes) await server.child.stop();
  return results;
}

async function slice(
  { child, port }: Running,
  { load }: LoadCase,
  { slice, pins }: RoundOptions,
): Promise<Sample> {
  const before = cpuSeconds(family(child.pid));
  const { count, seconds } = await load(port, slice, pins.load);
  const cpu = cpuSeconds(family(child.pid)) - before;
  return { rate: count / seconds, cpu: cpu / count * 1e6 };
}

/** How many connections are held open. */
const IDLE = 1000;

/** How long all is left alone before the memory is read. */
const SETTLE_MS = 1000;

/** Opens connections, says so, and holds them until its stdin ends. */
const HOLDER = `
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
port, n = map(int, sys.argv[1:])
held = [context.wrap_socket(socket.create_connection(("127.0.0.1", port))) for _ in range(n)]
print("open", flush=True)
sys.stdin.read()
`;

/** How many bytes more a fresh server has resident for each connection that shook hands and is idle. */
export async function measureIdle(subject: Subject, site: Site): Promise<number> {
  const { child, port } = await startSubject(subject, site, []);
  try {
    await sleep(SETTLE_MS);
    const before = resident(family(child.pid));
    const holder = new Child(tool("python3", "-c", HOLDER, String(port), String(IDLE)));
    try {
      await holder.line();
      await sleep(SETTLE_MS);
      return (resident(family(child.pid)) - before) / IDLE;
    } finally {
      await holder.stop();
    }
  } finally {
    await child.stop();
  }
}
