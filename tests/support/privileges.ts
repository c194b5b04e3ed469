// Rights: ports that only some may listen at, and users who have few.

import { readFileSync } from "node:fs";
import process from "node:process";
import { UNSHARE_MOUNTS } from "./programs.ts";

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

/** The user nobody. */
const NOBODY = "65534";

/**
 * The start of {@linkcode asNobody}: folders and files are mounted where anybody can get at them, all
 * that is mounted becomes read-only, and rights are given up. The command is its arguments.
 */
const CONFINED = `
set -e
mount -t tmpfs -o mode=755 tmpfs "$BASE"
i=0
echo "$MOUNTS" | while read -r path; do
  i=$((i + 1))
  if [ -d "$path" ]; then mkdir "$BASE/$i"; else touch "$BASE/$i"; fi
  mount --bind "$path" "$BASE/$i"
done
cut -d " " -f 5 /proc/self/mountinfo | while read -r at; do
  mount -o remount,bind,ro "$at" 2>/dev/null || true
done
cd /
exec setpriv $USERS --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
`;

/** A command and its environment. */
export interface Confined {
  readonly command: string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The command as an unprivileged user runs it on a machine where no file can be written to. `mounts` are
 * folders and files that it needs; they are called 1, 2 and so on in `base`, an empty folder. It needs
 * "mount-namespaces".
 */
export function asNobody(
  base: string,
  mounts: readonly string[],
  command: readonly string[],
): Confined {
  const isRoot = process.getuid!() === 0;
  const users = isRoot ? `--reuid=${NOBODY} --regid=${NOBODY} --clear-groups` : "";
  return {
    command: [...UNSHARE_MOUNTS, "sh", "-c", CONFINED, "sh", ...command],
    env: { BASE: base, MOUNTS: mounts.join("\n"), USERS: users },
  };
}
