// The programs of others that tests converse with. Run as a script, it prints the Debian packages of
// those that are missing here.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** The Debian package of each. */
const PACKAGES = {
  chromium: "chromium",
  curl: "curl",
  ncat: "ncat",
  nginx: "nginx-light",
  openssl: "openssl",
  python3: "python3",
  socat: "socat",
  wget: "wget",
} as const;

/** A program that a test may need. */
export type OtherProgram = keyof typeof PACKAGES;

/** Where programs are; Debian has nginx where only root's PATH leads. */
const FOLDERS: readonly string[] = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];

/** Where a program is; undefined if it is not installed. */
export function pathOf(program: OtherProgram): string | undefined {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether a program is installed. */
export function isInstalled(program: OtherProgram): boolean {
  return pathOf(program) !== undefined;
}

/** What to type to install programs. */
export function installLine(programs: Iterable<OtherProgram>): string {
  return `apt-get install -y ${[...programs].map((name) => PACKAGES[name]).sort().join(" ")}`;
}

/** Says that tests were skipped, and how to run them. */
export function skippedMessage(count: number, programs: ReadonlySet<OtherProgram>): string {
  const tests = count === 1 ? "1 test was" : `${count} tests were`;
  return `${tests} skipped, for want of ${[...programs].sort().join(", ")}. ` +
    `To run all: ${installLine(programs)}`;
}

if ((import.meta as { main?: boolean }).main) {
  const missing = (Object.keys(PACKAGES) as OtherProgram[]).filter((name) => !isInstalled(name));
  console.log(missing.map((name) => PACKAGES[name]).join(" "));
}
