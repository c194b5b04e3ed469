// Connections that are lost before they are accepted: they harm nobody but themselves.

import assert from "node:assert/strict";
import { serve } from "../../lib/serve/serve.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, echoAll, readText, rejects } from "../support/helpers.ts";
import { python } from "../support/peers.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** A client that resets its connection before anybody accepts it; then another, which is served. */
async function resetsFirst(): Promise<void> {
  const listener = await systemTransport.listen({ host: "127.0.0.1", keepAlive: true });
  await using peer = await python(`
for line in sys.stdin:
    s = socket.create_connection(("127.0.0.1", int(line)))
    s.sendall(b"x")
    reset(s)
    say("reset")
`);
  peer.say(`${listener.addr.port}`);
  assert.equal(await peer.hear(), "reset");
  const served = serve(listener, echoAll).finished;
  {
    using client = await systemTransport.connect(listener.addr);
    await client.write(bytes("hello"));
    assert.equal(await readText(client, 5), "hello");
  }
  listener.close();
  await served;
}

test("accept: a connection that the peer has reset is no failure of the listener", resetsFirst, [
  "python3",
]);

/** What this test needs of Deno, which Node has no types of. */
interface DenoNet {
  listen(options: object): Disposable & { addr: { port: number } };
  connect(options: object): Promise<Disposable>;
}

/** Makes sockets refuse options for as long as `work` takes, as macOS does once they are reset. */
async function refusingOptions(work: () => Promise<void>): Promise<void> {
  const { listen, connect } = Reflect.get(globalThis, "Deno") as DenoNet;
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  using conn = await connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const prototype = Object.getPrototypeOf(conn);
  const { setNoDelay, setKeepAlive } = prototype;
  prototype.setNoDelay = prototype.setKeepAlive = () => {
    throw Object.assign(new Error("Invalid argument (os error 22)"), { code: "EINVAL" });
  };
  try {
    await work();
  } finally {
    Object.assign(prototype, { setNoDelay, setKeepAlive });
  }
}

if (runtime === "Deno") {
  test("connect: a peer that resets before Deno has asked for its address is ECONNRESET", async () => {
    const deno = Reflect.get(globalThis, "Deno") as DenoNet;
    const { connect } = deno;
    // What the kernel says between the end of the handshake and the question is a matter of luck.
    deno.connect = () => Promise.reject(Object.assign(new Error("lost"), { code: "ENOTCONN" }));
    try {
      await rejects(systemTransport.connect({ host: "127.0.0.1", port: 9 }), "ECONNRESET");
    } finally {
      deno.connect = connect;
    }
  });

  test(
    "accept: a kernel that gives no options to a lost connection does not stop the server",
    async () => {
      await refusingOptions(resetsFirst);
    },
    ["python3"],
  );
}
