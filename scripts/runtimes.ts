// The runtimes that the project is tested on beside Deno. npm serves all of them, so that a machine
// needs nothing but npm.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { must, ROOT } from "./program.ts";

/** A JavaScript runtime. */
export interface Runtime {
  readonly name: string;
  /** Its executable. */
  readonly path: string;
  /** The environment in which `node`, `npm` and `npx` run on it. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * No further authorities: where the machine has some for its own use, Node reads them at each start, for
 * 60 ms of processor time. It is for programs that ask nobody outside.
 */
export const NO_EXTRA_AUTHORITIES: Readonly<Record<string, string>> = { NODE_EXTRA_CA_CERTS: "" };

/** The newest Node of a major version. */
export function node(major: string): Promise<Runtime> {
  return runtime(`Node ${major}`, "node", major);
}

export function bun(): Promise<Runtime> {
  return runtime("Bun", "bun", "1.4.5");
}

async function runtime(name: string, packageName: string, version: string): Promise<Runtime> {
  const dir = join(ROOT, ".node", "runtimes", `${packageName}-${version}`);
  await install(dir, { [packageName]: version });
  const bin = join(dir, "node_modules", ".bin");
  return {
    name,
    path: join(bin, packageName),
    env: { PATH: `${bin}${delimiter}${process.env.PATH}` },
  };
}

/** Installs npm packages into a folder of their own, unless it holds the same ones already. */
export async function install(
  dir: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<void> {
  const done = join(dir, "installed.json");
  const manifest = JSON.stringify({ private: true, type: "module", dependencies });
  if (existsSync(done) && readFileSync(done, "utf8") === manifest) return;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "package.json"), manifest);
  await must(["npm", "install", "--no-audit", "--no-fund"], { cwd: dir });
  writeFileSync(done, manifest);
}
