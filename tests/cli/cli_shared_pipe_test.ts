// A pipe that a program shares with another one: does it become non-blocking for that one, too?

import assert from "node:assert/strict";
import { echo } from "../../lib/protocols/echo.ts";
import { serve } from "../../lib/serve/serve.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { PYTHON, runProgram } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";

test(
  "a pipe that is shared becomes non-blocking on Node while a client runs, and not on Deno",
  async () => {
    const listener = await systemTransport.listen({ host: "127.0.0.1" });
    const stop = new AbortController();
    const served = serve(listener, echo(), { signal: stop.signal }).finished;
    const python = `
import fcntl, os, subprocess, sys
pipes = [os.pipe() for _ in range(3)]
ours = [pipes[0][0], pipes[1][1], pipes[2][1]]
program = subprocess.Popen(sys.argv[1:], stdin=ours[0], stdout=ours[1], stderr=ours[2])
def flags():
    print([bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK) for fd in ours])
os.write(pipes[0][1], b"hello\\n")
assert os.read(pipes[1][0], 100) == b"hello\\n"
flags()
os.close(pipes[0][1])
program.wait()
flags()
`;
    const client = [...programCommand("client"), "connect", `127.0.0.1:${listener.addr.port}`];
    const { stdout, stderr } = await runProgram([...PYTHON, "-c", python, ...client]);
    const meanwhile = runtime === "Deno" ? "[False, False, False]" : "[True, True, True]";
    assert.equal(stdout.toString(), `${meanwhile}\n[False, False, False]\n`, stderr);
    stop.abort();
    await served;
  },
  ["python3"],
);
