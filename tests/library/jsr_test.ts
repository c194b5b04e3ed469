// The programs as Deno's users run them without a checkout, from JSR.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { publishedFiles, readConfig, startJsr } from "./jsr.ts";
import { modulesOf, ROOT } from "./module_graph.ts";
import { Program, runProgram } from "../support/peers.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { listening } from "../support/scripts.ts";

/** Calls `fn` with what runs a program of the package, in an empty folder with an empty cache. */
async function fromJsr(
  fn: (run: (program: string, ...flags: string[]) => string[], dir: string) => Promise<void>,
): Promise<void> {
  await using jsr = await startJsr();
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  const env = [`JSR_URL=${jsr.url}`, `DENO_DIR=${join(dir, "cache")}`];
  try {
    await fn((program, ...flags) => {
      const specifier = `jsr:${jsr.name}/${program}`;
      const command = [process.execPath, "run", "--quiet", "-A", ...flags, specifier];
      return ["env", "-C", dir, ...env, ...command];
    }, dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Asserts that a server that listens says what a client says to it. */
async function assertEchoes(server: string[], client: string[], ...flags: string[]) {
  await using running = await listening(new Program([...server, "--port", "0", ...flags]));
  const { code, stdout, stderr } = await runProgram(
    [...client, "echo", "hello", "--port", String(running.port)],
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout.toString(), "hello");
  assert.equal((await running.program.stop()).code, 0);
}

if (runtime === "Deno") {
  test("from JSR: the server and the client run without a checkout, with workers, too", async () => {
    await fromJsr(async (run) => {
      const server = run("server");
      const client = run("client");
      await assertEchoes(server, client);
      await assertEchoes(server, client, "--workers", "2");
      const threads = ["--workers", "2", "--worker-kind", "threads"];
      await assertEchoes(run("server", "--unstable-net"), client, ...threads);
    });
  });

  test("from JSR: the commands that are loaded when they are named run", async () => {
    await fromJsr(async (run, dir) => {
      writeFileSync(join(dir, "file.txt"), "some text\n");
      await using web = await listening(
        new Program([...run("server"), "web", "--port", "0", "--tls-self-signed"]),
      );
      const got = await runProgram([...run("client"), "get", "--insecure", `${web.url}file.txt`]);
      assert.equal(got.stdout.toString(), "some text\n", got.stderr);
      for (
        const [program, command] of [["server", "relay"], ["server", "chat"]].concat([
          ["client", "connect"],
          ["client", "resolve"],
        ])
      ) {
        const { code, stderr } = await runProgram([...run(program), command, "--help"]);
        assert.equal(code, 0, stderr);
      }
    });
  });

  test("from JSR: the package has the code that its exports import, and no other", async () => {
    const entries = Object.values(readConfig().exports);
    const imported = (await modulesOf(entries)).map(({ specifier }) => specifier)
      .filter((url) => url.startsWith(ROOT.href) && url.endsWith(".ts"));
    const published = (await publishedFiles()).filter((url) => url.endsWith(".ts"));
    assert.deepEqual(published.sort(), imported.sort());
  });

  test("from JSR: a program that is imported does not start", async () => {
    await fromJsr(async (run, dir) => {
      const specifier = run("server").at(-1)!;
      const file = join(dir, "user.ts");
      writeFileSync(file, `import { main } from "${specifier}"; console.log(typeof main);`);
      const { code, stdout, stderr } = await runProgram([...run("server").slice(0, -1), file]);
      assert.equal(code, 0, stderr);
      assert.equal(stdout.toString(), "function\n");
    });
  });
}
