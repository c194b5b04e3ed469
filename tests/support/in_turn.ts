// Runs command lines of our scripts in this process, one after the other, and prints how each has
// ended as a line of JSON. A server that listens goes on while those behind it run, and is stopped at
// the end. Signals to stop reach all that run.
// usage: in_turn.ts '[["server", "web"], ["client", "get", "http://localhost:8080/"]]'

import process from "node:process";
import { InProcess } from "./in_process.ts";

const lines: readonly ["server" | "client", ...string[]][] = JSON.parse(process.argv[2]);
const running = new Set<InProcess>();
/** Those that had a signal: a second one would end a server at once. */
const stopped = new Set<InProcess>();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    for (const script of running) {
      stopped.add(script);
      script.kill(signal);
    }
  });
}

async function ended(script: InProcess, index: number): Promise<void> {
  const { code, stdout, stderr } = await script.exit();
  running.delete(script);
  console.log(JSON.stringify({ index, code, stdout: stdout.toString(), stderr }));
}

const all: Promise<void>[] = [];
for (const [index, [name, ...args]] of lines.entries()) {
  const script = new InProcess(name, args, { pipe: true });
  running.add(script);
  all.push(ended(script, index));
  // A server that does not listen ends, and so does its output.
  if (name === "server") await script.stdout.until(/\n/).catch(() => all[index]);
  else await all[index];
}
for (const script of running) if (!stopped.has(script)) script.kill("SIGTERM");
await Promise.all(all);
// As the scripts do: on Deno the process would wait for look-ups that were given up.
process.exit();
