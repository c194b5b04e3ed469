// Ports that only some may listen at.

import { readFileSync } from "node:fs";
import process from "node:process";

/** The highest port that needs a right; 0 if this system has none such. */
export function privilegedPort(): number {
  const first = readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8");
  return Math.max(0, Number(first) - 1);
}

/** The same command without that right, which root has. */
export function withoutRightToPorts(command: readonly string[]): string[] {
  if (process.getuid!() !== 0) return [...command];
  const drop = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"];
  return [...drop, ...command];
}
