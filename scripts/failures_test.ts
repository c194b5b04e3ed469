import assert from "node:assert/strict";
import { test } from "node:test";
import { failuresIn, lastLines } from "./failures.ts";

const TAP = `ok - the sources compile for Node
not ok 1 - a "quoted" name \\# 7
  ---
  duration_ms: 8.172586
  location: '/there/.node/tests/out/tests/support/runner.node.js:14:5'
  error: |-
    Expected values to be strictly equal:
    
    1 !== 2
    
  code: 'ERR_ASSERTION'
  expected: 2
  stack: |-
    file:///there/.node/tests/out/tests/base/cidr_test.js:3:47
    Test.run (node:internal/test_runner/test:796:25)
  ...
not ok 4 - one line
  ---
  error: "Not ready: it's gone"
  stack: |-
    async Test.run (node:internal/test_runner/test:797:9)
  ...
# node:internal/test_runner/harness:46
#       throw err;
# Error: does not load
#     at file:///there/.node/tests/out/tests/base/ip_test.js:3:7
# Node.js v20.20.2
not ok 5 - ip_test.js
  ---
  exitCode: 7
  error: 'test failed'
  code: 'ERR_TEST_FAILURE'
  ...
# pass 2
# fail 3
`;

test("failures: TAP's have a name, the test's line and the error's first lines", () => {
  assert.deepEqual(failuresIn(TAP), [
    {
      name: 'a "quoted" name # 7',
      lines: ["tests/base/cidr_test.js:3", "Expected values to be strictly equal:", "1 !== 2"],
    },
    { name: "one line", lines: ["Not ready: it's gone"] },
    { name: "ip_test.js", lines: ["tests/base/ip_test.js:3", "Error: does not load"] },
  ]);
});

test("failures: each has the runtime whose counts follow", () => {
  const bun = `bun test v1.4.5

tests/out/tests/net/dial_test.js:
(pass) good [0.06ms]
3 | throw new Error("does not load");
              ^
error: does not load
      at /there/tests/out/tests/net/dial_test.js:3:11
-------------------------------
3 | test("bad", () => { assert.equal(1, 2); });
                        ^
AssertionError: Expected values to be strictly equal:

1 !== 2
      at /there/tests/out/tests/net/dial_test.js:3:47
(fail) bad: it is equal [4.32ms]
(fail) bad: without a cause [1.00ms]

 1 pass
`;
  const counts = (name: string) => `${name} | 1 passed | 1 failed\n`;
  const named = failuresIn(`${TAP}${counts("Node 26")}${bun}${counts("Bun")}4 passed, 2 failed\n`);
  assert.deepEqual(named.map(({ runtime }) => runtime), [
    ...Array(3).fill("Node 26"),
    ...Array(3).fill("Bun"),
  ]);
  const at = "tests/net/dial_test.js:3";
  assert.deepEqual(named.slice(3).map(({ name, lines }) => ({ name, lines })), [
    { name: "a file", lines: [at, "error: does not load"] },
    {
      name: "bad: it is equal",
      lines: [at, "AssertionError: Expected values to be strictly equal:", "1 !== 2"],
    },
    { name: "bad: without a cause", lines: [] },
  ]);
});

test("failures: Deno's are read without their colours, with a stack or none", () => {
  const output = `./tests/a_test.ts => bad ... \x1b[31mFAILED\x1b[0m (1ms)

\x1b[37m ERRORS \x1b[0m

bad: it waits \x1b[38;5;245m=> ./tests/support/runner.deno.ts:25:8\x1b[0m
\x1b[31merror\x1b[0m: Error: Not ready:

a line
    at \x1b[36mfile:///there/tests/a_test.ts\x1b[0m:\x1b[33m3\x1b[0m:47

bad: leaks => ./tests/support/runner.deno.ts:25:8
error: Leaks detected:
  - A timer was started in this test, but never completed.

./tests/b_test.ts (uncaught error)
error: (in promise) Error: does not load
    at file:///there/tests/b_test.ts:3:7
This error was not caught from a test.

 FAILURES 

bad: it waits => ./tests/support/runner.deno.ts:25:8

FAILED | 1 passed | 3 failed (35ms)
`;
  assert.deepEqual(failuresIn(output), [
    { name: "bad: it waits", lines: ["tests/a_test.ts:3", "Error: Not ready:", "a line"] },
    {
      name: "bad: leaks",
      lines: ["Leaks detected:", "  - A timer was started in this test, but never completed."],
    },
    {
      name: "./tests/b_test.ts",
      lines: ["tests/b_test.ts:3", "(in promise) Error: does not load"],
    },
  ]);
});

test("failures: a check's has its first lines, and a step without one its last lines", () => {
  const lines = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  const output = `ok - one\nnot ok - deno lint\n${lines.map((line) => `    ${line}\n`).join("")}`;
  assert.deepEqual(failuresIn(output), [{ name: "deno lint", lines: lines.slice(0, 8) }]);
  assert.deepEqual(failuresIn(lines.join("\n")), []);
  assert.deepEqual(lastLines(`${lines.join("\n")}\n\n`), lines.slice(-8));
});
