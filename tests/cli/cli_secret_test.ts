// Users and passwords that are not on the command line, where everybody who may run ps can read them.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../support/peers.ts";
import {
  assertFailed,
  programCommand,
  runClient,
  runServer,
  startWeb,
} from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** Runs `use` with a folder to serve, and a file beside it whose content is a secret. */
async function withSecret(
  content: string,
  use: (folder: string, file: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "secret-"));
  const file = `${folder}.secret`;
  try {
    writeFileSync(join(folder, "a.txt"), "text");
    writeFileSync(file, content);
    await use(folder, file);
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(file);
  }
}

/** How a client ends that asks for a file with this user and password: 0, or 22 if it is refused. */
async function askAs(user: string, url: string): Promise<number | null> {
  return (await runClient(["get", "-q", "--user", user, `${url}a.txt`])).code;
}

for (const [name, end] of [["LF", "\n"], ["CRLF", "\r\n"], ["no line end", ""]] as const) {
  test(`web --auth @FILE: reads USER:PASSWORD off the file, with ${name}`, () =>
    withSecret(`ann:s:e @cret${end}`, async (folder, file) => {
      await using server = await startWeb([folder, "--auth", `@${file}`]);
      assert.equal(await askAs("ann:s:e @cret", server.url), 0);
      assert.equal(await askAs(`@${file}`, server.url), 0);
      assert.equal(await askAs("ann:other", server.url), 22);
      assert.equal((await runClient(["get", "-q", server.url])).code, 22);
    }));
}

test("web --auth-env: reads USER:PASSWORD off an environment variable", () =>
  withSecret("", async (folder) => {
    const env = { SITE: "ann:secret" };
    await using server = await startWeb([folder, "--auth-env", "SITE"], { env });
    assert.equal(await askAs("ann:secret", server.url), 0);
    assert.equal(await askAs("ann:other", server.url), 22);
  }));

test("web --auth @FILE: SIGHUP reads it again, and what is not right changes nothing", () =>
  withSecret("ann:first", async (folder, file) => {
    await using server = await startWeb([folder, "--auth", `@${file}`]);
    const reload = async (content: string, says: RegExp) => {
      writeFileSync(file, content);
      server.program.kill("SIGHUP");
      await server.program.stderr.until(says);
    };
    await reload("ann:second\n", /^read again who may see the site$/m);
    assert.equal(await askAs("ann:first", server.url), 22);
    assert.equal(await askAs("ann:second", server.url), 0);
    await reload(
      "hidden",
      /^Option --auth takes USER:PASSWORD in that file.* stay as they were\.$/m,
    );
    assert.equal(await askAs("ann:second", server.url), 0);
    assert.doesNotMatch((await server.program.stop()).stderr, /hidden|second/);
  }));

test("web: one SIGHUP keeps the networks whose file is not right, and takes the new password", () =>
  withSecret("ann:first", (folder, file) =>
    withSecret("127.0.0.1\n", async (_, networks) => {
      const options = ["--auth", `@${file}`, "--allow", `@${networks}`];
      await using server = await startWeb([folder, ...options]);
      writeFileSync(networks, "nonsense\n");
      writeFileSync(file, "ann:second");
      server.program.kill("SIGHUP");
      await server.program.stderr.until(/Who may connect stays as it was\.$/m);
      await server.program.stderr.until(/^read again who may see the site$/m);
      assert.equal(await askAs("ann:second", server.url), 0);
      const { stdout } = await runServer(["web", "--help"]);
      assert.match(stdout.toString(), /--auth @FILE again, too, and on its own/);
    })));

test("web --auth and get --user: what is wrong with a file is told, and not what is in it", () =>
  withSecret("", async (folder, file) => {
    const cases: [content: string, says: RegExp][] = [
      ["hidden", /USER:PASSWORD in that file, with a colon|takes 'name:password'/],
      ["a:hidden\nb:hidden\n", /wants one line in '.*', which has more/],
      ["", /USER:PASSWORD in that file, with a colon|takes 'name:password'/],
    ];
    for (const [content, says] of cases) {
      writeFileSync(file, content);
      for (
        const exit of [
          await runServer(["web", folder, "--auth", `@${file}`]),
          await runClient(["get", "--user", `@${file}`, "http://a/"]),
        ]
      ) {
        assertFailed(exit, 2, /Option --(auth|user) /, says);
        assert.doesNotMatch(exit.stderr, /hidden/);
      }
    }
    const none = `@${file}.none`;
    const missing = /cannot read '.*\.none': there is no such file/;
    assertFailed(await runServer(["web", folder, "--auth", none]), 2, missing);
    assertFailed(await runClient(["get", "--user", none, "http://a/"]), 2, missing);
  }));

test("get -H @FILE: sends the fields in the file, one a line", () =>
  withSecret("Authorization: Basic YW5uOnNlY3JldA==\r\nX-Other: 1\n", async (folder, file) => {
    await using server = await startWeb([folder, "--auth", "ann:secret"]);
    const args = ["get", "-v", "-H", `@${file}`, `${server.url}a.txt`];
    const { code, stderr } = await runClient(args);
    assert.equal(code, 0);
    assert.match(stderr, /^> X-Other: 1$/m);
    writeFileSync(file, "none\n");
    assertFailed(
      await runClient(args),
      2,
      /Option -H takes 'Name: value', which line 1 of the file is not/,
    );
  }));

test("web --auth-env: a variable that is not there, or not right, is told without its value", async () => {
  const run = (env: Record<string, string>, ...more: string[]) =>
    runServer(["web", "--auth-env", "SITE", ...more], env);
  assertFailed(await run({}), 2, /--auth-env takes the name of an environment .*no 'SITE'/);
  const wrong = await run({ SITE: "hidden" });
  assertFailed(wrong, 2, /Option --auth-env takes USER:PASSWORD in SITE, with a colon/);
  assert.doesNotMatch(wrong.stderr, /hidden/);
  assertFailed(await run({ SITE: "a:b" }, "--auth", "a:b"), 2, /--auth and --auth-env exclude/);
});

if (runtime === "Deno") {
  test("web --auth-env: says which permission of Deno it needs", async () => {
    const flags = ["--no-prompt", "--allow-net", "--allow-read"];
    const [RUNTIME, ...args] = programCommand("server", flags);
    // A Deno that sees its own path in the arguments of a child adds -A behind it.
    const command = ["sh", "-c", 'exec "$RUNTIME" "$@"', "sh", ...args];
    const exit = await runProgram([...command, "web", "--auth-env", "SITE"], { env: { RUNTIME } });
    assertFailed(exit, 2, /Option --auth-env needs Deno's permission: .*--allow-env=SITE/);
  });
}

test("a text file in UTF-16, as PowerShell's > makes it, is called so by whatever reads it", () =>
  withSecret("", async (folder, file) => {
    const why = /: it is text in UTF-16: save it as ASCII or UTF-8\. See /;
    for (const mark of ["\ufeff", "\ufffe"]) {
      writeFileSync(file, `${mark}127.0.0.1`, "utf16le");
      for (
        const args of [
          ["--auth", `@${file}`],
          ["--allow", `@${file}`],
          ["--tls-cert", file],
          ["--tls-cert", file, "--tls-key-passphrase-file", file],
        ]
      ) assertFailed(await runServer(["web", folder, ...args]), 2, why);
      assertFailed(await runClient(["get", "--user", `@${file}`, "http://a/"]), 2, why);
    }
    writeFileSync(file, "\ufeff127.0.0.1\n");
    await using server = await startWeb([folder, "--allow", `@${file}`]);
    assert.equal((await runClient(["get", "-q", `${server.url}a.txt`])).code, 0);
  }));
