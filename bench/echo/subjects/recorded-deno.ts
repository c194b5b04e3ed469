/**
 * plainsocket on Deno with a recording: `server.ts echo --record FILE`, with the redaction that the
 * first argument names. The file is in memory where the system has a folder for that, since no disk
 * takes what an echo server moves. It has no name any more, and is emptied again and again: nothing is
 * left of it, and a long run fills nothing.
 *
 * @module
 */

import { existsSync, ftruncateSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { serverIo } from "../../../lib/cli/io/io.ts";
import { main } from "../../../server.ts";

const IN_MEMORY = "/dev/shm";
const EMPTIED_EVERY_MS = 100;

const dir = mkdtempSync(join(existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir(), "bench-"));
const fd = openSync(join(dir, "recording.jsonl"), "w");
rmSync(dir, { recursive: true });
setInterval(() => ftruncateSync(fd), EMPTIED_EVERY_MS);
const recording = ["--record", `/dev/fd/${fd}`, "--redact", process.argv[2]];
process.exit(await main(["echo", "--port", "0", "-q", ...recording], serverIo()));
