// What is told of mistakes in handlers when nobody has asked to be told.

import assert from "node:assert/strict";
import { runProgram } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

test("mistakes: a handler that throws is one warning, with its stack and whom it was for", async () => {
  const { code, stdout, stderr } = await runProgram(
    programCommand("tests/library/mistaken_server"),
  );
  assert.equal(code, 0, stderr);
  const ports = Object.fromEntries(
    stdout.toString().trimEnd().split("\n").map((line) => line.split(" ")),
  );
  const told = stderr.split(/^(?=\(\w+:\d+\) )/m);
  const expected: [kind: string, doing: string][] = [
    ["serve", `with 127.0.0.1:${ports.serve}`],
    ["serveLight", `for POST /light?a=b from 127.0.0.1:${ports.serveLight}`],
    ["serveHttp", `for POST /http from 127.0.0.1:${ports.serveHttp}`],
    ["serveDatagrams", `on a datagram from 127.0.0.1:${ports.serveDatagrams}`],
  ];
  assert.equal(told.length, expected.length, stderr);
  for (const [i, [kind, doing]] of expected.entries()) {
    const [first, error, stack] = told[i].split("\n");
    assert.match(first, /^\(\w+:\d+\) HandlerWarning: A handler failed /);
    assert.ok(first.endsWith(` ${doing}`), `${first} does not say ${doing}`);
    assert.equal(error, `TypeError: ${kind} is wrong`);
    assert.match(stack, /^ +at fails .*mistaken_server\.[tj]s:/);
  }
});
