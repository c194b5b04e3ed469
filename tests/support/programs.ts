// The programs of others that tests converse with. Run as a script, it prints the Debian packages of
// those that are missing here.

import { delimiter, join } from "node:path";
import process from "node:process";
import { nodeChildProcess, nodeFs } from "../../lib/base/builtins.deno.ts";

/** The Debian package of each. */
const PACKAGES = {
  chromium: "chromium-headless-shell",
  curl: "curl",
  haproxy: "haproxy",
  "nats-server": "nats-server",
  ncat: "ncat",
  nginx: "nginx-light",
  "nginx-stream": "libnginx-mod-stream",
  openssl: "openssl",
  prometheus: "prometheus",
  promtool: "prometheus",
  python3: "python3",
  "python3-websockets": "python3-websockets",
  "redis-cli": "redis-tools",
  "redis-server": "redis-server",
  slowhttptest: "slowhttptest",
  socat: "socat",
  ss: "iproute2",
  "systemd-analyze": "systemd",
  "systemd-notify": "systemd",
  "systemd-socket-activate": "systemd",
  tcpflow: "tcpflow",
  tshark: "tshark",
  websocketd: "websocketd",
  wget: "wget",
} as const;

/** A program that a test may need. */
export type OtherProgram = keyof typeof PACKAGES;

/** Makes a mount namespace, and runs the command that follows there. */
export const UNSHARE_MOUNTS: readonly string[] = process.getuid?.() === 0
  ? ["unshare", "--mount"]
  : ["unshare", "--mount", "--map-root-user"];

/** What the kernel may forbid. */
type Right = "mount-namespaces" | "network-namespaces";

/** The commands that succeed where the kernel allows it. */
const RIGHTS: Readonly<Record<Right, readonly (readonly string[])[]>> = {
  "mount-namespaces": [[...UNSHARE_MOUNTS, "true"]],
  "network-namespaces": [["unshare", "-rnm", "true"], ["nsenter", "--version"]],
};

/** What a test may need. */
export type Need = OtherProgram | Right;

/** Allows namespaces where the kernel forbids them to users. */
const ALLOW = "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";

const isAllowed = new Map<Right, boolean>();

function isRight(need: Need): need is Right {
  return need in RIGHTS;
}

/** Where programs are; Debian has nginx where only root's PATH leads. */
const FOLDERS: readonly string[] = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];

/** The names under which a program may be installed. The first is the one that costs least. */
const NAMES: Partial<Record<OtherProgram, readonly string[]>> = {
  chromium: ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"],
};

/** A library has no program of its own; this is where Debian has it, for /usr/bin/python3 and nginx. */
const LIBRARIES: Partial<Record<OtherProgram, string>> = {
  "nginx-stream": "/usr/lib/nginx/modules/ngx_stream_module.so",
  "python3-websockets": "/usr/lib/python3/dist-packages/websockets/__init__.py",
};

/** Where a program is; undefined if it is not installed. */
export function pathOf(program: OtherProgram): string | undefined {
  const library = LIBRARIES[program];
  if (library !== undefined) return nodeFs().existsSync(library) ? library : undefined;
  const names = NAMES[program] ?? [program];
  return names.flatMap((name) => FOLDERS.map((folder) => join(folder, name))).find((path) => {
    try {
      // Not accessSync: on Deno that looks at a link, and not at what it leads to.
      const stats = nodeFs().statSync(path);
      return stats.isFile() && (stats.mode & 0o111) !== 0;
    } catch {
      return false;
    }
  });
}

/** Whether this machine has what a test needs. A right is tried once. */
export function isHere(need: Need): boolean {
  if (!isRight(need)) return pathOf(need) !== undefined;
  const known = isAllowed.get(need);
  if (known !== undefined) return known;
  const is = process.platform === "linux" &&
    RIGHTS[need].every(([name, ...args]) => nodeChildProcess().spawnSync(name, args).status === 0);
  isAllowed.set(need, is);
  return is;
}

/** What to type, as root, to have what is missing. */
export function installLine(missing: Iterable<Need>): string {
  const all = [...missing];
  const packages = new Set(all.flatMap((need) => isRight(need) ? [] : [PACKAGES[need]]));
  const install = `apt-get install -y ${[...packages].sort().join(" ")}`;
  return [...packages.size > 0 ? [install] : [], ...all.some(isRight) ? [ALLOW] : []].join(" && ");
}

/** The error of a test where CI=true and something is missing. */
export function missingError(missing: readonly Need[]): Error {
  return new Error(
    `This machine has no ${missing.join(", ")}. Run as root: ${installLine(missing)}`,
  );
}

/** The name of a test that is skipped, since something is missing. */
export function skippedName(name: string, missing: readonly Need[]): string {
  return `${name} (skipped: needs ${missing.join(", ")})`;
}

/** Such a name, behind what Deno, Node (twice) and Bun print before it. */
const SKIPPED =
  /^ *(?:\S+ => |ok \d+ - |# Subtest: |\(skip\) )?(.*) \(skipped: needs ([\w, -]+)\)/gm;

/** What {@linkcode skippedMessage} says of all tests with such a name in what a test runner printed. */
export function skippedIn(output: string): string | undefined {
  const found = new Map(
    [...output.matchAll(SKIPPED)].map(([, name, needs]) =>
      [name, needs.split(", ") as Need[]] as const
    ),
  );
  return found.size === 0
    ? undefined
    : skippedMessage(found.size, new Set([...found.values()].flat()));
}

/** Says that tests were skipped, and how to run them. */
export function skippedMessage(count: number, missing: ReadonlySet<Need>): string {
  const tests = count === 1 ? "1 test was" : `${count} tests were`;
  return `${tests} skipped, for want of ${[...missing].sort().join(", ")}. ` +
    `To run all: ${installLine(missing)}`;
}

if ((import.meta as { main?: boolean }).main) {
  const missing = (Object.keys(PACKAGES) as OtherProgram[]).filter((name) => !isHere(name));
  console.log([...new Set(missing.map((name) => PACKAGES[name]))].join(" "));
}
