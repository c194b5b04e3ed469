// A client that asks again and again while a server is under attack: is it answered, and how soon?

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { runProgram } from "../support/peers.ts";

/** The address of the probe: not that of the attackers. */
const OWN_ADDRESS = "127.0.0.2";

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

/** Has curl ask for `url` until `attack` has ended, and once more. Rejects if the attack does. */
export async function probeDuring(
  { url, program: { pid } }: { readonly url: string; readonly program: { readonly pid: number } },
  attack: Promise<unknown>,
): Promise<Probed> {
  let isOver = false;
  const attacked = attack.finally(() => isOver = true);
  // It is awaited below.
  attacked.catch(() => {});
  const failures: string[] = [];
  let [answered, worst, memory, sockets] = [0, 0, 0, 0];
  for (let last = false; !last;) {
    last = isOver;
    const curl = [
      "curl",
      "-ksS",
      "--max-time",
      "30",
      "--interface",
      OWN_ADDRESS,
      "-o",
      "/dev/null",
    ];
    const { stdout, stderr } = await runProgram([...curl, "-w", "%{http_code} %{time_total}", url]);
    const [status, seconds] = stdout.toString().split(" ").map(Number);
    worst = Math.max(worst, 1000 * seconds);
    if (status === 200) answered++;
    else failures.push(`${stdout} ${stderr.trim()}`);
    memory = Math.max(memory, residentOf(pid));
    sockets = Math.max(sockets, socketsOf(pid));
  }
  await attacked;
  return { answered, failures, worst, memory, sockets };
}

/** The memory that a process has resident, in bytes. */
export function residentOf(pid: number): number {
  return 1024 * Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
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
