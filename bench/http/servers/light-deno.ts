import { systemTransport } from "../../../mod.ts";
import { serveLight } from "../../../lib/http/mod.ts";

const listener = await systemTransport.listen({ host: "127.0.0.1", port: Number(Deno.args[0]) });
await serveLight(listener, () => ({
  status: 200,
  headers: ["Content-Type", "text/plain"],
  body: "Hello, World!",
})).finished;
