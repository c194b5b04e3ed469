/**
 * plainsocket's WebSocket echo: `echo.mjs MODULE LIB EXTENSION`, where MODULE is the URL of plainsocket's
 * `mod.ts`, or of `mod.js` for Node, LIB that of its folder lib/, and EXTENSION `ts` or `js`.
 *
 * @module
 */

import process from "node:process";

const [module, lib, extension] = process.argv.slice(2);
const { systemTransport } = await import(module);
const { serveLight } = await import(`${lib}http/mod.${extension}`);
const { websocket } = await import(`${lib}http/ws/mod.${extension}`);

const echo = websocket(async (ws) => {
  for (let message; (message = await ws.read()) !== null;) await ws.write(message);
});
const listener = await systemTransport.listen({ host: "127.0.0.1" });
console.log(listener.addr.port);
await serveLight(listener, echo, { maxConnections: 20_000 }).finished;
