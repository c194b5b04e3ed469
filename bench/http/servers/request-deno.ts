import { systemTransport } from "../../../mod.ts";
import { serveHttp } from "../../../lib/http/mod.ts";

const listener = await systemTransport.listen({ host: "127.0.0.1", port: Number(Deno.args[0]) });
await serveHttp(listener, () => new Response("Hello, World!")).finished;
