// Our two scripts: in this process, and as processes under the runtime that runs the tests.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { InProcess, type InProcessOptions } from "./in_process.ts";
import { type Exit, Program, type ProgramOptions, PYTHON, type Running } from "./peers.ts";
import { runCommand } from "./runner.deno.ts";

/** The command that runs a program of ours, named without extension; `permissions` are Deno's. */
export function programCommand(name: string, permissions: readonly string[] = ["-A"]): string[] {
  // They end as this file does: in .ts, and in .js in a build.
  const extension = import.meta.url.split(".").at(-1);
  const script = new URL(`../../${name}.${extension}`, import.meta.url);
  return runCommand(fileURLToPath(script), permissions);
}

/** A server that listens. */
export interface ServerScript<P extends Running = Running> extends AsyncDisposable {
  /** The line it printed on stdout. */
  readonly url: string;
  readonly port: number;
  readonly program: P;
}

/** Starts `server.ts ARGS` in this process, on a free port, and waits until it listens. */
export function startServer(
  args: readonly string[] = [],
  options?: InProcessOptions,
): Promise<ServerScript> {
  const [command = "", ...rest] = args;
  const named = command !== "" && !command.startsWith("-");
  const all = named ? [command, "--port", "0", ...rest] : ["--port", "0", ...args];
  return listening(new InProcess("server", all, options));
}

/** Starts `server.ts web ARGS` in this process, on a free port, and waits until it listens. */
export function startWeb(
  args: readonly string[],
  options?: InProcessOptions,
): Promise<ServerScript> {
  return startServer(["web", ...args], options);
}

/** Starts `server.ts ARGS` as a process, and waits until it listens. */
export function startServerProcess(
  args: readonly string[],
  options?: ProgramOptions,
): Promise<ServerScript<Program>> {
  return listening(new Program([...programCommand("server"), ...args], options));
}

/** Starts client.ts as a process. */
export function startClientProcess(args: readonly string[], options?: ProgramOptions): Program {
  return new Program([...programCommand("client"), ...args], options);
}

/** Starts one of the small services in examples/, on a free port of 127.0.0.1, with TCP and UDP. */
export async function startService(name: string): Promise<{ service: Program; port: string }> {
  const service = new Program([...programCommand(`examples/${name}`), "127.0.0.1", "0"]);
  const [, port, udpPort] = await service.stdout.until(/^tcp:.*:(\d+)\nudp:.*:(\d+)\n/);
  assert.equal(port, udpPort);
  return { service, port };
}

/** Waits until a server prints a URL, by default one with a port. */
export async function listening<P extends Running>(
  program: P,
  pattern: RegExp = /^\S*:(\d+)\/?\n/,
): Promise<ServerScript<P>> {
  try {
    const [line, port] = await program.stdout.until(pattern);
    return {
      url: line.trimEnd(),
      port: Number(port),
      program,
      [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
    };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw new Error(`The server did not start: ${program.stderr.text}`, { cause: error });
  }
}

/** Runs server.ts in this process to its end: for command lines with which it does not start. */
export function runServer(args: readonly string[], env?: ProgramOptions["env"]): Promise<Exit> {
  return new InProcess("server", args, { env }).exit();
}

/** Starts client.ts in this process. */
export function startClient(args: readonly string[], options?: InProcessOptions): InProcess {
  return new InProcess("client", args, options);
}

/** Runs client.ts in this process to its end, with `stdin` in a pipe if it is given. */
export async function runClient(
  args: readonly string[],
  { stdin, ...options }: InProcessOptions & { stdin?: string | Uint8Array } = {},
): Promise<Exit> {
  const client = startClient(args, { ...options, pipe: stdin !== undefined });
  if (stdin !== undefined) client.stdin.end(stdin);
  return await client.exit();
}

/** How a script has ended, and all that it printed. */
export type Ended = Omit<Exit, "stdout"> & { readonly stdout: string };

/** The command that runs command lines of our scripts in one process and in turn, as in_turn.ts does. */
export function inTurnCommand(lines: readonly (readonly string[])[]): string[] {
  return [...programCommand("tests/support/in_turn"), JSON.stringify(lines)];
}

/** Command lines of our scripts that run in turn. */
export class InTurn implements AsyncDisposable {
  /** The process that runs them. */
  readonly program: Program;

  constructor(program: Program) {
    this.program = program;
  }

  /** Waits until so many have ended. */
  async ended(count: number): Promise<void> {
    await this.program.stdout.until(new RegExp(`^(.*\\n){${count}}`));
  }

  /** Waits until all have ended, and returns how. */
  async exits(): Promise<Ended[]> {
    const { code, stdout, stderr } = await this.program.exit();
    if (code !== 0) throw new Error(`Scripts in turn: exit code ${code}\n${stderr}`);
    const told = stdout.toString().trimEnd().split("\n").map((line) => JSON.parse(line));
    return told.sort((a, b) => a.index - b.index);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program[Symbol.asyncDispose]();
  }
}

/** A shell command line in which `"$@"` stands for `command`. */
export function inShell(line: string, command: readonly string[]): string[] {
  return ["sh", "-c", line, "sh", ...command];
}

/**
 * Wraps a command so that it has a terminal as stderr, and as stdout too if `stdout` says so. What
 * it prints there comes out on stdout, with the `\r` that terminals put before each `\n`.
 */
export function onTerminal(command: readonly string[], stdout = false): string[] {
  const program = `
import os, pty, subprocess, sys
ours, theirs = pty.openpty()
stdout = theirs if sys.argv[1] == "True" else subprocess.DEVNULL
child = subprocess.Popen(sys.argv[2:], stdin=theirs, stdout=stdout, stderr=theirs)
os.close(theirs)
while True:
    try: data = os.read(ours, 65536)
    except OSError: break
    if not data: break
    os.write(1, data)
sys.exit(child.wait())
`;
  return [...PYTHON, "-c", program, stdout ? "True" : "False", ...command];
}

/**
 * Wraps a command so that it runs in a terminal of its own. What comes on stdin is typed there
 * (`\x04` is Ctrl-D, `\x03` Ctrl-C), and all that it prints comes out on stdout, with what is typed.
 */
export function inTerminal(command: readonly string[]): string[] {
  const program = `
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
`;
  return [...PYTHON, "-c", program, ...command];
}

/** Asserts that a script failed as scripts should: with this code, and with one line that tells. */
export function assertFailed(
  exit: Pick<Exit, "code" | "stderr">,
  code: number,
  ...patterns: RegExp[]
): void {
  const lines = exit.stderr.split("\n").slice(0, -1);
  const telling = lines.filter((line) => /^(server|client)\.ts: /.test(line));
  assert.equal(telling.length, 1, `Not one line of error:\n${exit.stderr}`);
  assert.equal(lines.at(-1), telling[0], "The error is the last line");
  // The notes before it are the two that every run begins with.
  for (const line of lines.slice(0, -1)) {
    assert.match(
      line,
      /^(starting up on|connecting to|sending to) (.* port|the socket of descriptor) \d+$/,
    );
  }
  for (const pattern of patterns) assert.match(telling[0], pattern);
  assert.equal(exit.code, code, exit.stderr);
}

/** Whether this machine has IPv6 on loopback. */
export async function hasIPv6(): Promise<boolean> {
  try {
    (await systemTransport.listen({ host: "::1" })).close();
    return true;
  } catch {
    return false;
  }
}
