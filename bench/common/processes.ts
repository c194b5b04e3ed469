/**
 * What a server costs, whose work may be done by several processes or threads: the CPU time and the memory
 * of all of them, from /proc.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";

/** The kernel's clock ticks in a second, as /proc counts (USER_HZ). */
const TICKS = 100;

/** A process and all that it has started. */
export function family(pid: number): number[] {
  const tasks = unlessEnded(() => readdirSync(`/proc/${pid}/task`));
  const children = tasks.flatMap((task) =>
    unlessEnded(() => {
      const list = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8");
      return list.split(" ").filter(Boolean).map(Number);
    })
  );
  return [pid, ...children.flatMap(family)];
}

/** What a process or thread has; nothing if it has ended since it was listed. */
function unlessEnded<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch {
    return [];
  }
}

/** Seconds of CPU time that processes have used, with all their threads. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Behind the name, which may have spaces in it: utime and stime are the 14th and 15th field.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, n) => sum + n, 0) / TICKS;
}

/** Seconds of CPU time that the whole machine has used. */
export function machineSeconds(): number {
  const [total] = readFileSync("/proc/stat", "utf8").split("\n");
  const [user, nice, system, , , irq, softirq, steal] = total.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS;
}

/** Bytes of memory that processes have resident: what is shared by several counts for each. */
export function resident(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) => {
    const size = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    if (size === undefined) throw new Error(`process ${pid} has no memory: it ended`);
    return Number(size);
  });
  return kilobytes.reduce((sum, n) => sum + n, 0) * 1024;
}

/** Bytes of memory: what is shared by several processes counts once (PSS). */
export function memory(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) =>
    Number(/^Pss:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))![1])
  );
  return kilobytes.reduce((sum, n) => sum + n, 0) * 1024;
}
