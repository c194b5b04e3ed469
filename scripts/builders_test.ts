import assert from "node:assert/strict";
import { test } from "../tests/support/runner.deno.ts";
import { compileWithFirst } from "./builders.ts";

const compiles = (dir: string) => () => Promise.resolve(dir);
const fails = (message: string) => () => Promise.reject(new Error(message));

test("builders: where the first one fails, the next goes on, and why is said", async () => {
  const said: string[] = [];
  const builders = { one: fails("27 errors"), two: fails("no answer"), three: compiles("code") };
  const compiled = await compileWithFirst(builders, (line) => said.push(line));
  assert.deepEqual(compiled, { builder: "three", dir: "code" });
  assert.deepEqual(said, [
    "one cannot build the package here: 27 errors",
    "two cannot build the package here: no answer",
  ]);
});

test("builders: the first one that can is the only one that compiles", async () => {
  const builders = { one: compiles("code"), two: fails("not to be called") };
  const compiled = await compileWithFirst(builders, assert.fail);
  assert.deepEqual(compiled, { builder: "one", dir: "code" });
});

test("builders: without one that can, nothing is built", async () => {
  const said: string[] = [];
  await assert.rejects(
    compileWithFirst({ one: fails("27 errors") }, (line) => said.push(line)),
    /^Error: Cannot build the package: one failed\.$/,
  );
  assert.deepEqual(said, ["one cannot build the package here: 27 errors"]);
});
