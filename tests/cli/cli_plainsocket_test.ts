// The commands of the npm package: they call the scripts, under the names that users type.

import assert from "node:assert/strict";
import { InProcess } from "../support/in_process.ts";
import { runProgram } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const run = (...args: string[]) => new InProcess("plainsocket", args).exit();

const HELPS = ["server", "server web", "server relay", "server chat"].concat(
  ["client", "client get", "client connect", "client resolve"],
);

test("plainsocket: each help has the names and the examples of the package, lined up", async () => {
  for (const called of HELPS) {
    const { code, stdout } = await run(...called.split(" "), "--help");
    const help = stdout.toString();
    assert.equal(code, 0);
    assert.doesNotMatch(help, /deno run|(server|client)\.ts|the same (on Node|without)/);
    assert.match(help, new RegExp(`^Usage: plainsocket ${called.split(" ")[0]} `, "m"));
    for (const line of help.split("\n")) assert.ok(line.length <= 100, `Too long: ${line}`);
    const examples = help.split("\n\n")[1].split("\n");
    assert.ok(examples.every((line) => /^ {2}(npx plainsocket|nc) | {20}/.test(line)), help);
    const columns = examples.map((line) => /^ {2}\S.*? {2,}(?=\S)|^ {20,}/.exec(line))
      .filter((found) => found !== null).map(([start]) => start.length);
    assert.equal(new Set(columns).size, 1, help);
  }
});

test("plainsocket: messages have the name that was typed", async () => {
  const [direct, web, needing] = await Promise.all([
    run("client", "--nope"),
    run("server", "web", "--nope"),
    run("server", "relay"),
  ]);
  assert.equal(
    direct.stderr,
    "plainsocket client: Unknown option --nope. See 'plainsocket client --help'.\n",
  );
  assert.equal(
    web.stderr,
    "plainsocket server: Unknown option --nope. See 'plainsocket server web --help'.\n",
  );
  assert.match(
    needing.stderr,
    /^plainsocket server: .* See 'plainsocket server relay --help'\.\n$/,
  );
});

test("plainsocket: what is no command leads to the one that was meant", async () => {
  const wrong = {
    "": "Nothing to do. Say server or client.",
    web: "Unknown command 'web'; say 'plainsocket server web'.",
    "get http://a/": "Unknown command 'get'; say 'plainsocket client get http://a/'.",
    "web .": "Unknown command 'web'; say 'plainsocket server web .'.",
    "web --port 80 $x": `Unknown command 'web'; say 'plainsocket server web --port 80 "\\$x"'.`,
    "./dist": "Unknown command './dist'; say 'plainsocket server web ./dist'.",
    ".": "Unknown command '.'; say 'plainsocket server web .'.",
    "serve dist": "Unknown command 'serve'; did you mean 'plainsocket server web dist'?",
    "nc localhost 80":
      "Unknown command 'nc'; did you mean 'plainsocket client connect localhost 80'?",
    echo: "Unknown command 'echo'; say 'plainsocket server echo' or 'plainsocket client echo'.",
    "http://a/": "Unknown command 'http://a/'; say 'plainsocket client get http://a/'.",
    sever: "Unknown command 'sever'; did you mean 'plainsocket server'?",
    resolv: "Unknown command 'resolv'; did you mean 'plainsocket client resolve'?",
    ecoh:
      "Unknown command 'ecoh'; did you mean 'plainsocket server echo' or 'plainsocket client echo'?",
    "localhost 10000":
      "Unknown command 'localhost'; say 'plainsocket server --host localhost --port 10000' " +
      "or 'plainsocket client --host localhost --port 10000'.",
    "localhost:80":
      "Unknown command 'localhost:80'; say 'plainsocket server --host localhost --port 80' " +
      "or 'plainsocket client --host localhost --port 80'.",
    8080:
      "Unknown command '8080'; say 'plainsocket server --port 8080' or 'plainsocket client --port 8080'.",
    "-p 80": "Unknown command '-p'; options come after 'server' or 'client'.",
    WEB: "Unknown command 'WEB'; did you mean 'plainsocket server web'?",
    "--port 80": "Unknown command '--port'; options come after 'server' or 'client'.",
  };
  for (const [args, message] of Object.entries(wrong)) {
    const { code, stdout, stderr } = await run(...args.split(" ").filter((arg) => arg !== ""));
    assert.equal(stderr, `plainsocket: ${message} See 'plainsocket --help'.\n`);
    assert.deepEqual([code, stdout.length], [2, 0]);
  }
});

test("plainsocket: help comes first or last", async () => {
  const helps = await Promise.all(
    ["help server web", "--help server web", "server help web", "server web --help"]
      .map((args) => run(...args.split(" "))),
  );
  assert.match(helps[0].stdout.toString(), /^A directory as a web site\./);
  for (const help of helps) assert.deepEqual(help, helps[0]);
  assert.deepEqual(await run("help"), await run("--help"));
});

test("plainsocket: it is a program", async () => {
  const { code, stdout } = await runProgram([...programCommand("lib/cli/plainsocket"), "--help"]);
  assert.deepEqual([code, stdout], [0, (await run("help")).stdout]);
});

test("plainsocket: help with a protocol is that protocol's, and of the two of a name both are told", async () => {
  for (
    const [name, title] of [["web", "A directory as"], ["get", "Gets what"], ["echo", "Sockets"]]
  ) {
    for (const help of ["help", "--help"]) {
      const { code, stdout } = await run(help, name);
      assert.equal(code, 0);
      assert.ok(stdout.toString().startsWith(title), `${help} ${name}`);
    }
  }
});

test("plainsocket: a protocol of the other program leads to that, by its own name", async () => {
  const own = await run("client", "web");
  assert.match(own.stderr, /: say 'plainsocket server web'\. See 'plainsocket client --help'/);
  const { stderr } = await run("server", "get", "http://a/");
  assert.match(stderr, /: say 'plainsocket client get'\. See 'plainsocket server --help'/);
});
