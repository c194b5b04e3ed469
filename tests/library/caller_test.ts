// The stack of an error leads to the call that it is about, whatever the runtime reports it from.

import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { dial } from "../../lib/dial.ts";
import type { SocketError } from "../../lib/base/errors.ts";
import { observe } from "../../lib/observe/observe.ts";
import { requestHttp } from "../../lib/http/client/request.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Transport } from "../../lib/net/transport.ts";
import { rejects, turn } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

const NOBODY = { host: "127.0.0.1", port: 1 };

/** A call that fails, and the code of its error. */
type Failing = readonly [code: SocketError["code"], call: () => Promise<unknown>];

const FAILING: Record<string, Failing> = {
  "connect": ["ECONNREFUSED", () => systemTransport.connect(NOBODY)],
  "connect to a name": [
    "ECONNREFUSED",
    () => systemTransport.connect({ ...NOBODY, host: "localhost" }),
  ],
  "connect to a Unix socket": [
    "ENOENT",
    () => systemTransport.connect({ path: "/nowhere/at/all" }),
  ],
  "listen": ["EADDRNOTAVAIL", () => systemTransport.listen({ host: "192.0.2.1" })],
  "listen on a Unix socket": ["ENOENT", () => systemTransport.listen({ path: "/nowhere/at/all" })],
  "listenDatagram": ["EADDRNOTAVAIL", () => systemTransport.listenDatagram({ host: "192.0.2.1" })],
  "resolve": ["ENOTFOUND", () => systemTransport.resolve({ host: "a..b", port: 80 })],
  "dial": ["ECONNREFUSED", () => dial(systemTransport, NOBODY)],
  "dial over an observed transport": [
    "ECONNREFUSED",
    () => dial(observe(systemTransport, () => {}), NOBODY),
  ],
  "dial in memory": ["ECONNREFUSED", () => dial(new MemoryTransport(), NOBODY)],
  "requestHttp": [
    "ECONNREFUSED",
    () => requestHttp(systemTransport, { url: "http://127.0.0.1:1/" }),
  ],
  "startTls": ["ECONNRESET", async () => {
    using listener = await systemTransport.listen({ host: "127.0.0.1" });
    const conn = await systemTransport.connect(listener.addr);
    (await listener.accept()).close();
    await systemTransport.startTls(conn);
  }],
};

/** Whether there is a line of this file in the stack. */
function leadsHere({ stack }: Error): boolean {
  return /\n +at .*caller_test\./.test(stack!);
}

for (const [name, [code, call]] of Object.entries(FAILING)) {
  test(`caller: the stack of an error of ${name} has a line of the code that called it`, async () => {
    const error = await rejects(call(), code);
    assert.ok(leadsHere(error), error.stack);
    assert.ok(error.stack!.startsWith(`SocketError: ${error.message}\n`), error.stack);
  });
}

test("caller: an error of dial that a timer or a signal brings leads to it, too", async () => {
  const never: Transport = Object.assign(new MemoryTransport(), {
    connect: () => new Promise<never>(() => {}),
  });
  const clock = new VirtualClock();
  const late = rejects(dial(never, { ...NOBODY, clock, timeout: 1000 }), "ETIMEDOUT");
  await clock.advance(1000);
  assert.ok(leadsHere(await late));
  const controller = new AbortController();
  const aborted = rejects(dial(never, { ...NOBODY, signal: controller.signal }), "ECANCELED");
  await turn();
  controller.abort();
  assert.ok(leadsHere(await aborted));
});
