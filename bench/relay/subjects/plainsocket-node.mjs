/**
 * plainsocket's relay on Node: through `serve()` and the public interface, with no sink attached.
 *
 * @module
 */

import process from "node:process";
import { relay } from "../../../.node/package/out/lib/protocols/mod.js";
import { dial, serve, systemTransport } from "../../../.node/package/out/mod.js";

const port = Number(process.argv[2]);
const listener = await systemTransport.listen({ host: "127.0.0.1" });
console.log(listener.addr.port);
const toTarget = (signal) => dial(systemTransport, { host: "127.0.0.1", port, signal });
await serve(listener, relay(toTarget)).finished;
