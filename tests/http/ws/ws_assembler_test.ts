// What is kept of a message that is not whole.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Assembler } from "../../../lib/http/ws/assembler.ts";
import { wsSettings } from "../../../lib/http/ws/options.ts";
import { test } from "../../support/runner.deno.ts";
import { BINARY } from "./ws_peer.ts";

test("websocket: what is allocated for a message goes by what has come of it, and not by its header", () => {
  const chunk = Buffer.alloc(10_000, 1);
  for (const come of [1, 13, 14, 50, 200, 1000].map((chunks) => chunks * chunk.length)) {
    const assembler = new Assembler(wsSettings({ maxSize: Infinity }), undefined);
    assembler.begin(BINARY, false);
    for (let at = 0; at < come; at += chunk.length) assembler.add(chunk, 2 ** 40);
    const pieces = assembler.takePieces();
    const sum = (sizes: number[]) => sizes.reduce((sum, size) => sum + size, 0);
    const allocated = sum(pieces.map(({ buffer }) => buffer.byteLength));
    assert.equal(sum(pieces.map(({ length }) => length)), come);
    assert.ok(allocated <= 3 * come + 128 * 1024, `${allocated} bytes for ${come}`);
  }
});
