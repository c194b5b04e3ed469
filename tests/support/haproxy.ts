// HAProxy with a configuration of a test's own.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, OWN_HOST, until } from "./helpers.ts";
import { isListening } from "./kernel.ts";
import { Program } from "./peers.ts";

/** HAProxy that runs. */
export interface Haproxy extends AsyncDisposable {
  /** Its ports at OWN_HOST, by the names that the configuration has them under. */
  readonly ports: Readonly<Record<string, string>>;
  readonly program: Program;
}

/**
 * Starts HAProxy with these sections, in which `PORT(name)` is the address of a free port at OWN_HOST.
 * Files that they name are looked for in `folder`, and so is the configuration.
 */
export async function startHaproxy(
  sections: string,
  folder: string = mkdtempSync(join(tmpdir(), "plainsocket-haproxy-")),
): Promise<Haproxy> {
  const remove = () => rmSync(folder, { recursive: true, force: true });
  for (let attempt = 1;; attempt++) {
    const names = new Set(Array.from(sections.matchAll(/PORT\((\w+)\)/g), ([, name]) => name));
    const ports: Record<string, string> = {};
    for (const name of names) ports[name] = await freePort();
    const text = sections.replaceAll(/PORT\((\w+)\)/g, (_, name) => `${OWN_HOST}:${ports[name]}`);
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, COMMON + text);
    const program = new Program([
      ...["sh", "-c", 'PATH="$PATH:/usr/sbin" exec haproxy -db -C "$1" -f "$2"', "sh"],
      folder,
      file,
    ]);
    const all = Object.values(ports).map((port) => ({ host: OWN_HOST, port: Number(port) }));
    const hasFailed = () => /Fatal|Exiting|cannot bind|Error\(s\)/.test(program.stderr.text);
    await until(() => hasFailed() || all.every(isListening), "HAProxy to listen");
    if (!hasFailed()) {
      return {
        ports,
        program,
        async [Symbol.asyncDispose]() {
          await program.stop();
          await program[Symbol.asyncDispose]();
          remove();
        },
      };
    }
    await program[Symbol.asyncDispose]();
    if (attempt < 5 && /cannot bind/.test(program.stderr.text)) continue;
    remove();
    throw new Error(`HAProxy did not start: ${program.stderr.text}`);
  }
}

const COMMON = `
global
  log stderr format raw local0
defaults
  log global
  timeout check 20s
  timeout connect 20s
  timeout client 60s
  timeout server 60s
`;
