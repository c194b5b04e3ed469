// Listens on descriptor 3, tells one client where, and ends: for inherited_test.ts.

import process from "node:process";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes } from "../support/helpers.ts";

const listener = await systemTransport.listen({ fd: 3 });
const conn = await listener.accept();
await conn.write(bytes(JSON.stringify(listener.addr)));
conn.close();
listener.close();
process.exitCode = 0;
