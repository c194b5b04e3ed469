import assert from "node:assert/strict";
import { chat } from "../lib/cli/chat.ts";
import { connect } from "../lib/cli/connect.ts";
import { get } from "../lib/cli/get.ts";
import { CURL_HINTS, DENO_HINTS, NC_HINTS, RESOLVE_HINTS, SERVER_HINTS } from "../lib/cli/hints.ts";
import { processIo } from "../lib/cli/io.ts";
import { relay } from "../lib/cli/relay.ts";
import { resolve } from "../lib/cli/resolve.ts";
import { Session } from "../lib/cli/session.ts";
import { web } from "../lib/cli/web.ts";
import { test } from "./runner.deno.ts";

const session = new Session(processIo);

const COMMANDS = {
  web: [web, SERVER_HINTS],
  relay: [relay, SERVER_HINTS],
  chat: [chat, SERVER_HINTS],
  get: [get, CURL_HINTS],
  connect: [connect, NC_HINTS],
  resolve: [resolve, RESOLVE_HINTS],
} as const;

test("hints: each is told, and none is of an option that the command has", async () => {
  for (const [name, [command, own]] of Object.entries(COMMANDS)) {
    for (const [option, hint] of Object.entries({ ...DENO_HINTS, ...own })) {
      const message = `Unknown option ${option}: ${hint}`;
      await assert.rejects(command([option], session), { name: "UsageError", message }, name);
    }
  }
});

test("hints: those that name options name ones that there are", async () => {
  for (const [name, [command, hints]] of Object.entries(COMMANDS)) {
    for (const hint of Object.values(hints)) {
      for (const [option] of hint.matchAll(/--[a-z-]+/g)) {
        // With this one behind it, nothing is unknown only if that is there.
        await assert.rejects(command([option, "", "--nope"], session), (error: Error) => {
          assert.doesNotMatch(error.message, new RegExp(`Unknown option ${option}`), name);
          return true;
        });
      }
    }
  }
});
