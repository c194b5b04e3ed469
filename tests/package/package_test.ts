import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { VERSION } from "../../lib/base/version.ts";
import { test } from "../support/runner.deno.ts";

test("package: the version is the same everywhere", () => {
  const { version } = JSON.parse(readFileSync("deno.json", "utf8"));
  assert.equal(VERSION, version);
  assert.match(readFileSync("CHANGELOG.md", "utf8"), new RegExp(`^## ${version}\\b`, "m"));
});

test("package: what docs/service.md names for a service is a program of the package, and not npx", () => {
  const started = [...readFileSync("docs/service.md", "utf8").matchAll(/ExecStart=(\S+)/g)];
  assert.ok(started.length > 1);
  const commands = readFileSync("scripts/npm_package.ts", "utf8");
  for (const [, command] of started) {
    if (command === "/usr/bin/deno") continue;
    const [, name] = /\/node_modules\/\.bin\/(plainsocket)$/.exec(command) ?? [];
    assert.ok(name !== undefined && commands.includes(`"${name}"`), command);
  }
});
