// What is kept of a message that is not whole.

import assert from "node:assert/strict";
import { Buffer, constants } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import { Assembler } from "../../../lib/http/ws/assembler.ts";
import { Deflate } from "../../../lib/http/ws/deflate.ts";
import { wsSettings } from "../../../lib/http/ws/options.ts";
import { test } from "../../support/runner.deno.ts";
import { BINARY, TEXT } from "./ws_peer.ts";

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

test("websocket: however much is taken, a message that the runtime cannot hold is too large", () => {
  for (const maxSize of [Infinity, Number.MAX_SAFE_INTEGER]) {
    const deflate = new Deflate({ windowBits: 15 });
    const assembler = new Assembler(wsSettings({ maxSize }), deflate);
    for (
      const [opcode, most] of [[TEXT, constants.MAX_STRING_LENGTH], [BINARY, constants.MAX_LENGTH]]
    ) {
      assembler.begin(opcode, false);
      assembler.checkSize(most);
      assert.throws(() => assembler.checkSize(2 * most), { closeCode: 1009 });
      assembler.begin(opcode, true);
      const compressed = Buffer.concat([deflateRawSync("hello"), Uint8Array.of(0)]);
      assert.equal(String(assembler.single(compressed, 0, compressed.length)), "hello");
    }
  }
});
