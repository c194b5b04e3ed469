// Begins TLS and opens a socket for datagrams while this process has no descriptor left, for the first
// time, and prints how both ended.
// usage: no_descriptors.ts, under a limit of some 100 descriptors

import { openSync } from "node:fs";
import process from "node:process";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes } from "../support/helpers.ts";

const listener = await systemTransport.listen({ host: "127.0.0.1" });
const [client, server] = await Promise.all([
  systemTransport.connect(listener.addr),
  listener.accept(),
]);
for (let left = true; left;) {
  try {
    openSync("/dev/null", "r");
  } catch {
    left = false;
  }
}
const codeOf = (error: { code: string }) => error.code;
const starting = systemTransport.startTls(client, { insecure: true }).then(() => "OK", codeOf);
await server.write(bytes("This is not TLS.\r\n"));
server.close();
const listening = systemTransport.listenDatagram({ host: "127.0.0.1" }).then(() => "OK", codeOf);
console.log(await starting, await listening);
process.exit(0);
