// Dials a name that no name server answers for, many times at once, and then looks up another one.

import { dial } from "../../lib/dial.ts";
import type { SocketError } from "../../lib/base/errors.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";

const dials = Array.from({ length: 8 }, () => {
  const options = { host: "good.test", port: 80, timeout: 300 };
  return dial(systemTransport, options).catch(({ op, code }: SocketError) => `${op} ${code}`);
});
console.log((await Promise.all(dials)).join(", "));
const controller = new AbortController();
const resolving = systemTransport.resolve({
  host: "good.test",
  port: 80,
  signal: controller.signal,
});
controller.abort();
console.log(await resolving.catch(({ op, code }: SocketError) => `${op} ${code}`));
await systemTransport.resolve({ host: "localhost", port: 80 });
console.log("done");
