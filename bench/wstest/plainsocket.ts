// Our own WebSockets: deno run -A bench/wstest/plainsocket.ts PORT

import { systemTransport } from "../../mod.ts";
import { serveHttp } from "../../lib/http/mod.ts";
import { websocket } from "../../lib/http/ws/mod.ts";

const [port] = Deno.args;
const listener = await systemTransport.listen({ host: "127.0.0.1", port: Number(port) });
const handler = websocket(async (ws) => {
  for await (const message of ws) await ws.write(message);
}, { deflate: true });
await serveHttp(listener, handler).finished;
