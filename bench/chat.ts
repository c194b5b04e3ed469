/**
 * `deno task bench:chat`: what a line of a chat costs its servers, alone and over NATS, and what a silent
 * member costs. CPU time is counted, so that other work on the machine changes little.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { createConnection, type Socket } from "node:net";
import { counted } from "../lib/base/counted.ts";
import { toggle, type Values } from "../lib/cli/io/flags.ts";
import { Nats } from "../tests/support/nats.ts";
import { Program } from "../tests/support/peers.ts";
import { listening, type ServerScript } from "../tests/support/scripts.ts";
import { bench, chosen, count, listed, names, opening, type Run, runBench } from "./common/cli.ts";
import { cpuSeconds, resident } from "./common/processes.ts";
import { type Target, TARGETS } from "./reliability/targets.ts";

const FULL = { lines: 20_000, members: 200, idle: 5000 };
const QUICK = { lines: 500, members: 20, idle: 200 };

const FLAGS = {
  on: names(TARGETS, "only on these runtimes"),
  lines: count("N", FULL.lines, "how many lines are said in each case"),
  members: count("N", FULL.members, "how many members hear each line of a server alone"),
  idle: count("N", FULL.idle, "how many silent members are counted"),
  quick: toggle("500 lines, 20 and 200 members: a check of the bench"),
};

/** So many lines are said at once, in a busy room. */
const WINDOW = 200;
const TEXT = `${"x".repeat(59)}!`;
/** It has one byte, so that no reading cuts it. */
const END = "!".charCodeAt(0);

type Chat = ServerScript<Program>;

/** A member that counts the lines it hears. */
class Member {
  readonly #socket: Socket;
  #heard = 0;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      // The end of a line that somebody has said: those of the server end otherwise.
      for (let at = -1; (at = chunk.indexOf(END, at + 1)) >= 0;) this.#heard++;
      this.#wake();
    });
  }

  static async enter({ port }: Chat): Promise<Member> {
    const socket = createConnection(port, "127.0.0.1");
    await new Promise((resolve, reject) => socket.once("data", resolve).once("error", reject));
    return new Member(socket);
  }

  say(lines: number): void {
    this.#socket.write(`${TEXT}\n`.repeat(lines));
  }

  /** Waits until it has heard so many lines. */
  async hear(lines: number): Promise<void> {
    while (this.#heard < lines) await new Promise<void>((resolve) => this.#wake = resolve);
  }

  leave(): void {
    this.#socket.destroy();
  }
}

/** Starts a server on a runtime. */
type Start = (...args: string[]) => Promise<Chat>;

/** Starts servers with a command. */
function starting(command: readonly string[]): Start {
  const limits = ["--max-connections", "20000", "--max-per-address", "0"];
  const chat = [...command, "chat", "--host", "127.0.0.1", "--port", "0", ...limits];
  return (...args) => listening(new Program([...chat, ...args]));
}

/** Says lines at one server, which members of another one hear; returns the CPU time of both. */
async function talk(
  [from, to]: readonly [Chat, Chat],
  { lines, listeners, window = WINDOW }: { lines: number; listeners: number; window?: number },
): Promise<number[]> {
  const talker = await Member.enter(from);
  const members: Member[] = [];
  for (let i = 0; i < listeners; i++) members.push(await Member.enter(to));
  const pids = [from.program.pid, to.program.pid];
  const before = pids.map((pid) => cpuSeconds([pid]));
  for (let said = 0; said < lines;) {
    const some = Math.min(window, lines - said);
    talker.say(some);
    said += some;
    await Promise.all(members.map((member) => member.hear(said)));
  }
  const used = pids.map((pid, i) => cpuSeconds([pid]) - before[i]);
  for (const member of [talker, ...members]) member.leave();
  return used;
}

function perSecond(n: number, seconds: number): string {
  return seconds === 0 ? "–" : Math.round(n / seconds).toLocaleString("en");
}

async function alone(
  start: Start,
  lines: number,
  members: number,
  window: number,
): Promise<string> {
  await using chat = await start();
  const [used] = await talk([chat, chat], { lines, listeners: members, window });
  return `| a server alone, ${members} members, ${counted(window, "line")} at once | ${
    perSecond(lines, used)
  } | ${perSecond(lines * members, used)} |`;
}

async function overNats(start: Start, lines: number, history: number): Promise<string[]> {
  await using nats = await Nats.start("--jetstream");
  const args = ["--bus", nats.url, "--history", String(history)];
  await using one = await start(...args);
  await using two = await start(...args);
  for (const { program } of [one, two]) await program.stderr.until(/: connected\n/);
  const before = cpuSeconds([nats.pid]);
  const [said, heard] = await talk([one, two], { lines, listeners: 1 });
  const carried = cpuSeconds([nats.pid]) - before;
  const how = history > 0 ? "with history" : "without history";
  return [
    `| over NATS ${how}, the server who speaks | ${perSecond(lines, said)} | |`,
    `| over NATS ${how}, the server who hears | ${perSecond(lines, heard)} | |`,
    `| over NATS ${how}, nats-server | ${perSecond(lines, carried)} | |`,
  ];
}

/** What a silent member takes of memory, in KiB. */
async function idleKiB(start: Start, members: number): Promise<number> {
  await using chat = await start();
  const before = resident([chat.program.pid]);
  const all: Member[] = [];
  for (let i = 0; i < members; i++) all.push(await Member.enter(chat));
  const after = resident([chat.program.pid]);
  for (const member of all) member.leave();
  return (after - before) / members / 1024;
}

/** Measures all of a runtime, and prints its table. */
async function measureOn(
  { name, command }: Target,
  { lines, members, idle }: typeof FULL,
  say: (text: string) => void,
): Promise<void> {
  const start = starting(await command());
  const rows: string[] = [];
  say(`${name}: a server alone`);
  rows.push(await alone(start, lines, members, WINDOW));
  rows.push(await alone(start, Math.ceil(lines / 10), members, 1));
  for (const history of [0, 1000]) {
    say(`${name}: over NATS, with a history of ${history}`);
    rows.push(...await overNats(start, lines, history));
  }
  say(`${name}: silent members`);
  const size = await idleKiB(start, idle);
  console.log([
    "",
    `| on ${name} | lines a second of a core | heard a second of a core |`,
    "| ---- | -----------------------: | -----------------------: |",
    ...rows,
    "",
    `A silent member in a terminal takes ${size.toFixed(1)} KiB of memory.`,
  ].join("\n"));
}

async function measure(values: Values<typeof FLAGS>, say: (text: string) => void): Promise<number> {
  const usual = values.quick ? QUICK : FULL;
  const { lines = usual.lines, members = usual.members, idle = usual.idle } = values;
  console.log(opening(values.quick, `${lines} lines of ${TEXT.length} bytes.`));
  for (const target of chosen(TARGETS, values.on)) {
    await measureOn(target, { lines, members, idle }, say);
  }
  return 0;
}

export const run: Run = bench({
  task: "bench:chat",
  about: "Measures what lines and members of a chat cost, and prints a Markdown table.",
  flags: FLAGS,
  notes: `runtimes: ${listed(TARGETS)}\nIt needs nats-server.`,
  measure,
});

if (import.meta.main) await runBench(run);
