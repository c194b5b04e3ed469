/**
 * plainsocket's relay on Deno: through `serve()` and the public interface, with no sink attached.
 *
 * @module
 */

import { relay } from "../../../lib/protocols/mod.ts";
import { dial, serve, systemTransport } from "../../../mod.ts";

const port = Number(Deno.args[0]);
const listener = await systemTransport.listen({ host: "127.0.0.1" });
console.log(listener.addr.port);
const toTarget = (signal: AbortSignal) =>
  dial(systemTransport, { host: "127.0.0.1", port, signal });
await serve(listener, relay(toTarget)).finished;
