// They run on Deno only, as the benches do.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runProgram } from "../tests/support/peers.ts";
import { runCommand, test } from "../tests/support/runner.deno.ts";

const BENCHES = ["echo", "frames", "http", "relay", "tls", "workers", "ws"];
const TRIALS = ["attack", "chaos", "soak"];
const ALL = [...BENCHES, "chat", "restart", ...TRIALS];

/** Runs every bench with the same arguments. */
function runAll(names: readonly string[], ...args: string[]) {
  return Promise.all(names.map(async (name) => {
    const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
    return { name, exit: await runProgram([...runCommand(script, ["-A"]), ...args]) };
  }));
}

async function refuse(names: readonly string[], args: string[], why: RegExp): Promise<void> {
  for (const { name, exit } of await runAll(names, ...args)) {
    const said = `bench:${name} ${args.join(" ")}: ${exit.stderr}`;
    assert.equal(exit.code, 2, said);
    assert.equal(exit.stdout.length, 0, said);
    assert.match(exit.stderr, /^([\w:]+): .*\. See 'deno task \1 --help'\.\n$/, said);
    assert.match(exit.stderr, why, said);
  }
}

test("bench: a name that there is not is a mistake, and the names that there are are told", async () => {
  const choosing = BENCHES.filter((name) => name !== "frames");
  await refuse(choosing, ["--only", "nosuch"], /--only .*'nosuch': choose from \w/);
  await refuse(
    ["attack", "chaos", "restart"],
    ["--only", "nosuch"],
    /--only .*'nosuch': choose from \w/,
  );
  await refuse(
    [...TRIALS, "chat", "restart"],
    ["--on", "nosuch"],
    /--on .*'nosuch': choose from deno, node20, node26/,
  );
  await refuse(["soak"], ["--server", "nosuch"], /--server .*'nosuch': choose from echo, web/);
  await refuse(choosing, ["--case", "nosuch"], /--case .*'nosuch': choose from \w/);
});

test("bench: servers that are not measured in the cases chosen are a mistake", async () => {
  const why = /None of these servers is measured in one of these cases/;
  await refuse(["http"], ["--only", "nginx", "--case", "hello"], why);
  await refuse(["echo"], ["--only", "ncat", "--case", "idle"], why);
});

test("bench: what is no number, and an argument that is no option, are mistakes", async () => {
  await refuse(BENCHES, ["--rounds", "abc"], /--rounds takes a whole number .* not 'abc'/);
  await refuse(TRIALS, ["--seconds", "abc"], /--seconds takes a whole number .* not 'abc'/);
  await refuse(ALL, ["quick"], /not 'quick'/);
});

test("bench: each has a quick run, and tells of it in its help", async () => {
  for (const { name, exit } of await runAll(ALL, "--help")) {
    assert.equal(exit.code, 0, exit.stderr);
    const task = TRIALS.includes(name) ? name : `bench:${name}`;
    assert.match(exit.stdout.toString(), new RegExp(`deno task ${task} .*--quick`, "s"));
  }
});

test("bench: docs/reliability.md has each scenario and attack that there is, and no other", async () => {
  const page = readFileSync(new URL("../docs/reliability.md", import.meta.url), "utf8");
  const named = [...page.matchAll(/--only ([\w,-]+)/g)].flatMap(([, names]) => names.split(","));
  const helps = await runAll(["attack", "chaos"], "--help");
  const listed = helps.flatMap(({ exit }) =>
    /^(?:attacks|scenarios): (.*)$/m.exec(exit.stdout.toString())![1].split(", ")
  );
  assert.deepEqual(named.sort(), listed.sort());
});

test("bench: attack, chaos, restart and soak end with a verdict", async () => {
  const runs = [
    ["attack", "--only", "fuzz", "--messages", "200"],
    ["chaos", "--only", "kill"],
    ["restart", "--only", "chat"],
    [
      "soak",
      "--server",
      "chat",
      "--idle",
      "50",
      "--active",
      "5",
      "--opened",
      "50",
      "--seconds",
      "1",
    ],
  ];
  for (const [name, ...args] of runs) {
    const [{ exit }] = await runAll([name], "--quick", "--on", "deno", ...args);
    assert.match(
      exit.stdout.toString(),
      /^ok - deno(, chat)?: .*\n1 passed, 0 failed\n$/m,
      exit.stderr,
    );
    assert.equal(exit.code, 0);
  }
}, ["curl", "python3", "slowhttptest"]);
