// Load on the servers, in small. `deno task soak` puts them under 11,000 connections, and measures.

import assert from "node:assert/strict";
import { inShell, programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { type Load, soak } from "./soak.ts";
import { SERVICES } from "./soak_talks.ts";

const small: Load = { idle: 40, active: 6, opened: 40, seconds: 1, pause: 100 };

test("soak: idle, active and short clients of each server get each byte, and no descriptor stays", async () => {
  await Promise.all(SERVICES.map(async (service) => {
    const subject = { command: programCommand("server"), seed: 1, inProcess: true };
    const { messages, opened } = await soak(subject, service, small);
    assert.equal(opened, small.opened);
    assert.ok(messages >= small.active);
  }));
});

for (
  const [server, plan, found] of [
    ["echo", "corrupt", /^Error: idle connection 20 .*: A wrong byte came back\n/],
    ["chat", "close", /^Error: idle connection 20 .*: The server has closed the connection\n/],
  ] as const
) {
  test(`soak: ${plan} of one connection of ${server} is found`, async () => {
    // Three are opened before.
    const fault = `--fault 'conn=24: down: ${plan}@3'`;
    const command = inShell(`exec "$@" ${fault}`, programCommand("server"));
    const service = SERVICES.find(({ name }) => name === server)!;
    await assert.rejects(soak({ command, seed: 1 }, service, small), found);
  });
}
