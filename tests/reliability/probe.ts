// A client that asks again and again while a server is under attack: is it answered, and how soon?

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Program } from "../support/peers.ts";

/** The address of the probe: not that of the attackers. */
const OWN_ADDRESS = "127.0.0.2";

/** How often it asks. One process of curl does it all: to start one takes longer than an answer. */
const RATE = "20/s";

/** An answer that comes when the attack is over may be one to a question from before. */
const ANSWERS_AFTER = 2;

/** What curl prints of an answer, or of none: what is wrong, the status and the time. */
const ANSWER = /((?:(?!\d{3} ).*\n)*)(\d{3}) (.*)\n/g;

/** What a probe has met. */
export interface Probed {
  readonly answered: number;
  /** What curl said where it was not answered with 200. */
  readonly failures: readonly string[];
  /** The longest that an answer took, in milliseconds. */
  readonly worst: number;
  /** The most memory that the server had resident, in bytes. */
  readonly memory: number;
  /** The most sockets that the server had open. */
  readonly sockets: number;
}

/**
 * Has curl ask for `url` until `attack` has ended and an answer has come to what was asked after that.
 * Each time it connects anew. Rejects if the attack does.
 */
export async function probeDuring(
  { url, program: { pid } }: { readonly url: string; readonly program: { readonly pid: number } },
  attack: Promise<unknown>,
): Promise<Probed> {
  let isOver = false;
  const attacked = attack.finally(() => isOver = true);
  // It is awaited below.
  attacked.catch(() => {});
  await using curl = new Program([
    ...["curl", "-ksS", "--rate", RATE, "--max-time", "30", "--interface", OWN_ADDRESS],
    ...["-H", "Connection: close", "--no-sessionid", "-o", "/dev/null"],
    // curl would keep back what it writes to a pipe on stdout.
    ...["-w", "%{stderr}%{http_code} %{time_total}\n", `${url}?[1-1000000]`],
  ]);
  let sockets = 0;
  for (let n = 1, last = Infinity; n <= last; n++) {
    await curl.stderr.until(new RegExp(`^(${ANSWER.source}){${n}}`));
    sockets = Math.max(sockets, socketsOf(pid));
    if (isOver) last = Math.min(last, n + ANSWERS_AFTER);
  }
  await attacked;
  const answers = [...curl.stderr.text.matchAll(ANSWER)];
  const failures = answers.filter(([, , status]) => status !== "200");
  return {
    answered: answers.length - failures.length,
    failures: failures.map(([, said, status]) => `${status} ${said.trim()}`),
    worst: Math.max(...answers.map(([, , , seconds]) => 1000 * Number(seconds))),
    memory: mostResidentOf(pid),
    sockets,
  };
}

/** The most memory that a process has had resident, in bytes. */
export function mostResidentOf(pid: number): number {
  return 1024 * Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith("socket:");
    } catch {
      // It was closed meanwhile.
      return false;
    }
  }).length;
}
