// Whether what was sent of a file is still in it.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import { SentSamples } from "../../lib/files/sent_samples.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";

const PIECE = 1000;

test("samples of what was sent are in a file that was added to, and not in one that was written anew", async () => {
  for (const pieces of [1, 32, 33, 1000]) {
    const content = randomBytes(pieces * PIECE);
    await using site = await makeSite({ "a": content });
    const samples = new SentSamples();
    for (let at = 0; at < content.length; at += PIECE) {
      samples.take(content.subarray(at, at + PIECE), at);
    }
    const areIn = async (now: Uint8Array) => {
      await writeFile(site.path("a"), now);
      const handle = await open(site.path("a"));
      try {
        return await samples.areIn(handle);
      } finally {
        await handle.close();
      }
    };
    const more = randomBytes(10);
    assert.equal(await areIn(content), true);
    assert.equal(await areIn(Buffer.concat([content, more])), true);
    assert.equal(await areIn(Buffer.concat([more, content])), false);
    assert.equal(await areIn(randomBytes(content.length + 10)), false);
    assert.equal(await areIn(content.subarray(0, 100)), false);
  }
});
