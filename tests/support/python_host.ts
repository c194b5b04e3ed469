// Python peers that one process forks, for files with many of them: to start Python, and to import what
// it needs, takes ten times as long as to fork it.

import { once } from "node:events";
import { createConnection } from "node:net";
import process from "node:process";
import { hearing, Program, PYTHON, type PythonPeer, pythonProgram } from "./peers.ts";

/** Forks for each connection: a program comes there in the first line, which is then its stdin and stdout. */
const HOST = `
import os, signal, socket, struct, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
host = socket.create_server(("127.0.0.1", 0))
print(host.getsockname()[1], flush=True)
while True:
    conn, _ = host.accept()
    if os.fork() > 0:
        conn.close()
        continue
    for fd in 0, 1: os.dup2(conn.fileno(), fd)
    conn.close()
    host.close()
    print(os.getpid(), flush=True)
    exec(eval(sys.stdin.readline()), {})
    sys.stdout.flush()
    os._exit(0)
`;

/** A process that is there for all tests of a file. */
export class PythonHost implements AsyncDisposable {
  readonly #program: Program;
  readonly #port: number;

  private constructor(program: Program, port: number) {
    this.#program = program;
    this.#port = port;
  }

  /** With `imports`, its programs need not import these modules, each of which takes longer than to fork. */
  static async start(...imports: string[]): Promise<PythonHost> {
    const program = new Program([
      ...PYTHON,
      "-c",
      imports.map((each) => `import ${each}`).join("\n") + HOST,
    ]);
    const [, port] = await program.stdout.until(/^(\d+)\n/);
    return new PythonHost(program, Number(port));
  }

  /** Runs a program, as {@linkcode python} does. */
  async run(program: string, backlog = 128): Promise<PythonPeer> {
    const socket = createConnection(this.#port, "127.0.0.1");
    // It may be killed while something is written to it.
    socket.on("error", () => {});
    const hear = hearing(socket);
    // A string of JSON is one of Python.
    socket.write(`${JSON.stringify(pythonProgram(program, backlog))}\n`);
    const pid = Number(await hear());
    const port = Number(await hear());
    return {
      pid,
      endpoint: { host: "127.0.0.1", port },
      say: (line) => void socket.write(`${line}\n`),
      hear,
      async [Symbol.asyncDispose]() {
        const closed = socket.closed || once(socket, "close");
        if (!socket.readableEnded) process.kill(pid, "SIGKILL");
        socket.destroy();
        await closed;
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}
