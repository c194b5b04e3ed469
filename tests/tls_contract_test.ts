// The contract suite on TLS.

import { selfSigned } from "../lib/tls_cert.ts";
import { systemTransport } from "../lib/transport.deno.ts";
import { systemTls } from "./contract/networks.ts";
import { testTransport } from "./contract/transport.ts";
import { OWN_HOST } from "./helpers.ts";
import { test } from "./runner.deno.ts";

testTransport(systemTls(systemTransport, await selfSigned(["127.0.0.1", OWN_HOST])), test);
