/**
 * plainsocket on Node: through `serve()` and the public interface, with no sink attached.
 *
 * @module
 */

import { echo } from "../../../.node/package/out/lib/protocols/mod.js";
import { serve, systemTransport } from "../../../.node/package/out/mod.js";

const listener = await systemTransport.listen({ host: "127.0.0.1" });
console.log(listener.addr.port);
await serve(listener, echo(), { maxConnections: 20_000 }).finished;
