/**
 * plainsocket on Deno: through `serve()` and the public interface, with no sink attached.
 *
 * @module
 */

import { echo } from "../../../lib/protocols/mod.ts";
import { serve, systemTransport } from "../../../mod.ts";

const listener = await systemTransport.listen({ host: "127.0.0.1" });
console.log(listener.addr.port);
await serve(listener, echo(), { maxConnections: 20_000 }).finished;
