// HAProxy with a configuration of a test's own.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, freePort, OWN_HOST, readAll, until } from "./helpers.ts";
import { isListening } from "./kernel.ts";
import { Program, runProgram } from "./peers.ts";

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

/** The file that {@linkcode adapted} has the runtime API of HAProxy at, in its folder. */
const SOCKET = "api.sock";

/** A configuration of deploy/ for a test, with its runtime API and with these texts replaced. */
export function adapted(path: string, replacements: Readonly<Record<string, string>>): string {
  const all = {
    "stats socket /run/haproxy/admin.sock": `stats socket unix@${SOCKET}`,
    ...replacements,
  };
  let text = readFileSync(path, "utf8");
  for (const [what, by] of Object.entries(all)) {
    assert.ok(text.includes(what), `${what} is not in ${path}`);
    text = text.replace(what, by);
  }
  return text;
}

/** Sends a command to the runtime API of HAProxy in this folder; resolves to the answer. */
export async function commandHaproxy(folder: string, line: string): Promise<string> {
  using conn = await systemTransport.connect({ path: join(folder, SOCKET) });
  await conn.write(bytes(`${line}\n`));
  return (await readAll(conn)).toString();
}

/** Asserts that HAProxy finds nothing wrong with a configuration. */
export async function assertValid(path: string): Promise<void> {
  const command = 'PATH="$PATH:/usr/sbin" exec haproxy -c -f "$1"';
  const { code, stderr } = await runProgram(["sh", "-c", command, "sh", path]);
  assert.equal(code, 0, stderr);
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
