// The programs of docs/tutorial/: each is there in Python, and ours in examples/.

import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { Program, type ProgramOptions, PYTHON, runProgram } from "../support/peers.ts";
import { isHere } from "../support/programs.ts";
import { listening, programCommand, type ServerScript } from "../support/scripts.ts";

/** The two kinds of programs. */
export const KINDS = ["Python's", "ours"] as const;

/** One of them. */
export type Kind = typeof KINDS[number];

/** Ours that learners meet here are in a folder of their own. */
const FOLDERS = ["examples", "examples/tutorial", "examples/tutorial/solutions"];

/** The command of a program of the tutorial, or of a solution. */
export function tutorialCommand(kind: Kind, name: string): string[] {
  if (kind === "Python's") return [...PYTHON, "-u", `docs/tutorial/python/${name}.py`];
  const folder = FOLDERS.find((folder) => existsSync(`${folder}/${name}.ts`));
  return programCommand(`${folder}/${name}`);
}

/** Starts a server of the tutorial, and waits until it prints where it listens. */
export function startTutorial(
  kind: Kind,
  name: string,
  args: readonly string[],
): Promise<ServerScript<Program>> {
  const program = new Program([...tutorialCommand(kind, name), ...args]);
  return listening(program, /^.*:(\d+)\/?\n/);
}

/** The servers that serve all tests of a file, by their kind and name. */
export class SharedServers implements AsyncDisposable {
  readonly #started = new Map<string, ServerScript<Program>>();

  /** Starts servers of both kinds. Does nothing without Python, which all tests of them need. */
  async start(servers: Readonly<Record<string, readonly string[]>>): Promise<void> {
    if (!isHere("python3")) return;
    for (const [name, args] of Object.entries(servers)) {
      for (const kind of KINDS) {
        this.#started.set(`${kind} ${name}`, await startTutorial(kind, name, args));
      }
    }
  }

  /** A server, if it was started. */
  get(kind: Kind, name: string): ServerScript<Program> | undefined {
    return this.#started.get(`${kind} ${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#started.values()) await server[Symbol.asyncDispose]();
  }
}

/** What a client of the tutorial prints on stdout. It must end well. */
export async function heardBy(
  kind: Kind,
  name: string,
  args: readonly (string | number)[],
  options?: ProgramOptions & { stdin?: string },
): Promise<string> {
  const command = [...tutorialCommand(kind, name), ...args.map(String)];
  const { code, stdout, stderr } = await runProgram(command, options);
  assert.equal(code, 0, `${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/** Makes cert.pem and key.pem in a directory, as the certificate program does. */
export async function makeCertificate(directory: string): Promise<void> {
  const { cert, key } = await selfSigned(["localhost", "127.0.0.1"]);
  writeFileSync(join(directory, "cert.pem"), cert);
  writeFileSync(join(directory, "key.pem"), key);
}
