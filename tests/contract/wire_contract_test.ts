// The contract suite on TLS that is recorded as it goes over the network.

import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { observeWire, whyNoWire } from "../../lib/observe/tls_wire.ts";
import { endPeers, startPeers, systemTls } from "./networks.ts";
import { testNetwork } from "./transport.ts";
import { OWN_HOST } from "../support/helpers.ts";
import { afterAll, beforeAll } from "../support/runner.deno.ts";

if (whyNoWire() === undefined) {
  beforeAll(startPeers);
  afterAll(endPeers);
  const own = await selfSigned(["127.0.0.1", OWN_HOST]);
  const wire = systemTls(observeWire(systemTransport, () => {}), own);
  testNetwork(wire);
}
