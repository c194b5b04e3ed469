// The contract suite for datagrams on the sockets of the runtime at hand, and on memory.

import assert from "node:assert/strict";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { type DatagramTraits } from "../../lib/testing/datagram_suite.ts";
import { testDatagrams } from "../../lib/testing/datagrams.ts";
import { bytes, mistakes, OWN_HOST, rejects, until } from "../support/helpers.ts";
import { isBound } from "../support/kernel.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** There is no connect(2) for datagrams in Deno's node:dgram. */
const SYSTEM_TELLS = runtime !== "Deno";

const SYSTEM: DatagramTraits = {
  host: OWN_HOST,
  tellsRefused: SYSTEM_TELLS,
  tellsOfOthers: runtime === "Bun",
  // Deno frees a socket when its pending receive has noticed.
  untilFree: runtime === "Deno"
    ? (addr) => until(() => !isBound(addr), "the socket to be gone")
    : undefined,
};

const memory = new MemoryTransport();
testDatagrams({ ...SYSTEM, transport: systemTransport, test: (name, run) => test(name, run) });
testDatagrams({ host: OWN_HOST, transport: memory, test: (name, run) => test(name, run) });

for (const transport of [systemTransport, memory]) {
  const name = `${transport.name}, datagrams`;

  test(`${name}: a mistake is told with the call and the argument`, async () => {
    using socket = await transport.listenDatagram({ host: "127.0.0.1" });
    await mistakes("RangeError", /receive .* 0 bytes/, socket.receive(new Uint8Array()));
    for (const port of [-1, 65_536, 1.5]) {
      const to = { host: "127.0.0.1", port };
      await mistakes("RangeError", /send, in to, .*port/, socket.send(bytes("x"), to));
      await mistakes("RangeError", /in remote, .*port/, transport.listenDatagram({ remote: to }));
    }
    const nowhere = await rejects(socket.send(bytes("x")), "EINVAL");
    assert.match(nowhere.message, /name the address to send to/);
  });
}

for (const transport of SYSTEM_TELLS ? [systemTransport, memory] : [memory]) {
  test(`${transport.name}, datagrams: who is refused is told where nobody listens`, async () => {
    const gone = await transport.listenDatagram({ host: OWN_HOST });
    gone.close();
    using client = await transport.listenDatagram({ remote: gone.addr });
    const waiting = rejects(client.receive(new Uint8Array(8)), "ECONNREFUSED");
    await client.send(bytes("anybody?"));
    assert.match(
      (await waiting).message,
      /: nobody listens on 127[\d.]+:\d+, says its host \(ECONN/,
    );
  });
}
