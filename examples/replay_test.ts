// A test of a client without its server, for `deno test -A` and `node --test`. What both said is in
// weather.jsonl. Record your own: `server.ts relay --to weather.example:80 --record weather.jsonl`.

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { test } from "node:test";
import { requestHttp } from "../lib/http/mod.ts";
import { readRecording } from "../lib/recording/mod.ts";
import { replayed } from "../lib/replay/mod.ts";

test("the client asks for the weather as it did when that was recorded", async () => {
  const recording = await readRecording(createReadStream("examples/weather.jsonl"));
  const transport = replayed(recording, { match: "http", ignoreFields: ["date", "user-agent"] });
  const reply = await requestHttp(transport, { url: "http://weather.example/today" });
  let text = "";
  for await (const bytes of reply) text += new TextDecoder().decode(bytes);
  assert.equal(text, "sunny\n");
  await transport.finished;
});
