import process from "node:process";
import { serveLight } from "../../../.node/package/out/lib/http/mod.js";
import { systemTransport } from "../../../.node/package/out/mod.js";

const port = Number(process.argv[2]);
const listener = await systemTransport.listen({ host: "127.0.0.1", port });
await serveLight(listener, () => ({
  status: 200,
  headers: ["Content-Type", "text/plain"],
  body: "Hello, World!",
})).finished;
