// `server.ts replay` and `client.ts replay`: how they compare.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectClient, folder, recordingOf } from "./replay_helpers.ts";
import { test } from "./runner.deno.ts";
import { assertFailed, runClient, runServer, startServer } from "./scripts.ts";

/** A request and its response, as frames with a length of one byte. */
const FRAMED = recordingOf([["client", "\x06id=1;a"], ["server", "\x02ok"]]);

test("cli replay: with --match frames, --ignore names what may differ in a frame", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  writeFileSync(file, FRAMED);
  const player = (...args: string[]) =>
    startServer(["replay", file, "--host", "127.0.0.1", "--match", "frames", ...args]);
  await using lenient = await player("--frame", "u8", "--ignore", "id=\\d+");
  // In two pieces, and with a longer id.
  const answer = await connectClient(lenient.port, ["\x08id=", "123;a"]);
  assert.equal(answer, "\x02ok");
  assert.equal((await lenient.program.exit()).code, 0);
  await using strict = await player("--frame", "u8");
  await connectClient(strict.port, ["\x08id=123;a"]);
  const { code, stderr } = await strict.program.exit();
  assert.equal(code, 1);
  assert.match(stderr, /expected 69 64 3d 31 3b 61 +\|id=1;a\|\n +received 69 64 3d 31 32 33/);
});

test("cli replay: what --match frames needs is said in one line", async () => {
  const cases: [string[], RegExp][] = [
    [["--match", "frames"], /--match frames needs --frame FRAMING, such as --frame u32/],
    [["--frame", "u32"], /--frame goes with --match frames/],
    [["--frame-limit", "1K"], /--frame-limit needs --frame/],
    [["--match", "frames", "--frame", "u7"], /--frame takes lines, u8, u16/],
  ];
  for (const [args, message] of cases) {
    assertFailed(await runServer(["replay", "x", ...args]), 2, message);
    assertFailed(await runClient(["replay", "x", "--to", "localhost:1", ...args]), 2, message);
  }
});

test("cli replay: client.ts replay compares frames, too", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  writeFileSync(file, FRAMED);
  const other = join(dir.path, "y.jsonl");
  writeFileSync(other, recordingOf([["client", "\x06id=1;a"], ["server", "\x02no"]]));
  await using server = await startServer(["replay", file, "--host", "127.0.0.1", "--times", "2"]);
  const play = (path: string) =>
    runClient(
      ["replay", path, "--to", `127.0.0.1:${server.port}`, "--match", "frames", "--frame", "u8"],
    );
  assert.equal((await play(file)).code, 0);
  const { code, stderr } = await play(other);
  assert.equal(code, 1);
  assert.match(stderr, /expected 6e 6f +\|no\|\n +received 6f 6b/);
});
