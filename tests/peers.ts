// Programs of other people's making, as the other end of a conversation.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { once } from "node:events";
import type { Endpoint } from "../lib/transport.ts";

/** A Python program with a socket. */
export interface PythonPeer extends AsyncDisposable {
  /** Where it listens, if it does. */
  readonly endpoint: Endpoint;
  /** Gives it a line to read. */
  say(line: string): void;
  /** Waits for a line that it prints. */
  hear(): Promise<string>;
}

/**
 * Runs a Python program that has `socket`, `struct`, `sys`, a listening socket `l`, and a function
 * `reset(s)` that closes with RST. It is killed when the peer is disposed of.
 */
export async function python(program: string, backlog = 128): Promise<PythonPeer> {
  const prelude = `
import socket, struct, sys
l = socket.socket()
l.bind(("127.0.0.1", 0))
l.listen(${backlog})
def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
def say(text):
    print(text, flush=True)
say(l.getsockname()[1])
`;
  const child = spawn("python3", ["-c", prelude + program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hear = async () => (await lines.next()).value as string;
  const port = Number(await hear());
  return {
    endpoint: { host: "127.0.0.1", port },
    say: (line) => void child.stdin.write(`${line}\n`),
    hear,
    async [Symbol.asyncDispose]() {
      const exited = child.exitCode === null && child.signalCode === null && once(child, "exit");
      child.stdin.destroy();
      child.kill("SIGKILL");
      await exited;
      child.stdout.destroy();
    },
  };
}
