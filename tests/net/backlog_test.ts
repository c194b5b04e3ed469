// How many clients wait in the kernel to be accepted, as the kernel says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { ListenOptions } from "../../lib/net/transport.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import { OWN_HOST } from "../support/helpers.ts";
import { runProgram } from "../support/peers.ts";
import { runtime, test } from "../support/runner.deno.ts";

const SOMAXCONN = "/proc/sys/net/core/somaxconn";

/** The length of the queue when `n` was asked for. Bun takes no wish. */
const lengthOf = (n: number) =>
  Math.min(runtime === "Bun" ? 512 : n, Number(readFileSync(SOMAXCONN, "utf8")));

/** The length of the queue of who listens on a port. */
async function queueOf(options: ListenOptions): Promise<number> {
  using listener = await systemTransport.listen(options);
  const { port } = listener.addr as TcpAddr;
  const { stdout } = await runProgram(["ss", "-Hltn", `src ${OWN_HOST}:${port}`]);
  const [, , length] = stdout.toString().trim().split(/\s+/);
  return Number(length);
}

test("listen: 4096 clients may wait in the kernel, or as many as the backlog says", async () => {
  const tls = await selfSigned([OWN_HOST]);
  assert.equal(await queueOf({ host: OWN_HOST }), lengthOf(4096));
  assert.equal(await queueOf({ host: OWN_HOST, backlog: 100 }), lengthOf(100));
  assert.equal(await queueOf({ host: OWN_HOST, tls }), lengthOf(4096));
  assert.equal(await queueOf({ host: OWN_HOST, tls, backlog: 100 }), lengthOf(100));
}, ["ss"]);
