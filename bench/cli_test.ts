// They run on Deno only, as the benches do.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runProgram } from "../tests/support/peers.ts";
import { runCommand, test } from "../tests/support/runner.deno.ts";
import { run as attack } from "./attack.ts";
import { run as chaos } from "./chaos.ts";
import { run as chat } from "./chat.ts";
import type { Run } from "./common/cli.ts";
import { run as echo } from "./echo.ts";
import { run as frames } from "./frames.ts";
import { run as http } from "./http.ts";
import { run as relay } from "./relay.ts";
import { run as restart } from "./restart.ts";
import { run as soak } from "./soak.ts";
import { run as tls } from "./tls.ts";
import { run as workers } from "./workers.ts";
import { run as ws } from "./ws.ts";

const BENCHES = { echo, frames, http, relay, tls, workers, ws };
const TRIALS = { attack, chaos, soak };
const ALL = { ...BENCHES, chat, restart, ...TRIALS };

/** What a bench returned and printed. */
interface Ended {
  readonly name: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs benches in this process, with the same arguments. */
function runAll(benches: Readonly<Record<string, Run>>, ...args: string[]): Promise<Ended[]> {
  return Promise.all(
    Object.entries(benches).map(async ([name, run]) => {
      let [stdout, stderr] = ["", ""];
      const code = await run(args, {
        print: (text) => void (stdout += `${text}\n`),
        say: (text) => void (stderr += `${text}\n`),
      });
      return { name, code, stdout, stderr };
    }),
  );
}

async function refuse(
  benches: Readonly<Record<string, Run>>,
  args: string[],
  why: RegExp,
): Promise<void> {
  for (const { name, code, stdout, stderr } of await runAll(benches, ...args)) {
    const said = `bench:${name} ${args.join(" ")}: ${stderr}`;
    assert.equal(code, 2, said);
    assert.equal(stdout, "", said);
    assert.match(stderr, /^([\w:]+): .*\. See 'deno task \1 --help'\.\n$/, said);
    assert.match(stderr, why, said);
  }
}

test("bench: a name that there is not is a mistake, and the names that there are are told", async () => {
  const { frames: _, ...choosing } = BENCHES;
  await refuse(choosing, ["--only", "nosuch"], /--only .*'nosuch': choose from \w/);
  await refuse(
    { attack, chaos, restart },
    ["--only", "nosuch"],
    /--only .*'nosuch': choose from \w/,
  );
  await refuse(
    { ...TRIALS, chat, restart },
    ["--on", "nosuch"],
    /--on .*'nosuch': choose from deno, node20, node26/,
  );
  await refuse({ soak }, ["--server", "nosuch"], /--server .*'nosuch': choose from echo, web/);
  await refuse(choosing, ["--case", "nosuch"], /--case .*'nosuch': choose from \w/);
});

test("bench: servers that are not measured in the cases chosen are a mistake", async () => {
  const why = /None of these servers is measured in one of these cases/;
  await refuse({ http }, ["--only", "nginx", "--case", "hello"], why);
  await refuse({ echo }, ["--only", "ncat", "--case", "idle"], why);
});

test("bench: what is no number, and an argument that is no option, are mistakes", async () => {
  await refuse(BENCHES, ["--rounds", "abc"], /--rounds takes a whole number .* not 'abc'/);
  await refuse(TRIALS, ["--seconds", "abc"], /--seconds takes a whole number .* not 'abc'/);
  await refuse(ALL, ["quick"], /not 'quick'/);
});

test("bench: each has a quick run, and tells of it in its help", async () => {
  for (const { name, code, stdout, stderr } of await runAll(ALL, "--help")) {
    assert.equal(code, 0, stderr);
    const task = Object.hasOwn(TRIALS, name) ? name : `bench:${name}`;
    assert.match(stdout, new RegExp(`deno task ${task} .*--quick`, "s"));
  }
});

test("bench: docs/reliability.md has each scenario and attack that there is, and no other", async () => {
  const page = readFileSync(new URL("../docs/reliability.md", import.meta.url), "utf8");
  const named = [...page.matchAll(/--only ([\w,-]+)/g)].flatMap(([, names]) => names.split(","));
  const helps = await runAll({ attack, chaos }, "--help");
  const listed = helps.flatMap(({ stdout }) =>
    /^(?:attacks|scenarios): (.*)$/m.exec(stdout)![1].split(", ")
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
    const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
    const command = [...runCommand(script, ["-A"]), "--quick", "--on", "deno", ...args];
    const { code, stdout, stderr } = await runProgram(command);
    assert.match(stdout.toString(), /^ok - deno(, chat)?: .*\n1 passed, 0 failed\n$/m, stderr);
    assert.equal(code, 0);
  }
}, ["curl", "python3", "slowhttptest"]);
