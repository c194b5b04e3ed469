// The contract suite on TLS.

import { selfSigned } from "../lib/net/tls/self_signed.ts";
import { systemTransport } from "../lib/net/system.deno.ts";
import { systemTls } from "./contract/networks.ts";
import { testNetwork } from "./contract/transport.ts";
import { OWN_HOST } from "./helpers.ts";

testNetwork(systemTls(systemTransport, await selfSigned(["127.0.0.1", OWN_HOST])));
