/**
 * plainsocket on Deno with its live page, which curl looks at: `server.ts echo --watch`.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { PassThrough } from "node:stream";
import { serverIo } from "../../../lib/cli/io/io.ts";
import { main } from "../../../server.ts";

const stderr = new PassThrough();
stderr.on("data", (text) => {
  const url = /http:\S+/.exec(String(text))?.[0];
  if (url === undefined) return;
  const curl = spawn("curl", ["-sN", "-o", "/dev/null", url.replace("/?", "/events?")]);
  process.on("exit", () => curl.kill());
});
const io = { ...serverIo(), stderr };
process.exit(await main(["echo", "--port", "0", "-q", "--watch"], io));
