/**
 * plainsocket's WebSocket echo, and at /cast a room whose members all get each message: `echo.mjs MODULE LIB EXTENSION`, where MODULE is the URL of plainsocket's
 * `mod.ts`, or of `mod.js` for Node, LIB that of its folder lib/, and EXTENSION `ts` or `js`.
 *
 * @module
 */

import process from "node:process";

const [module, lib, extension] = process.argv.slice(2);
const { systemTransport } = await import(module);
const { serveLight } = await import(`${lib}http/mod.${extension}`);
const { prepareMessage, websocket } = await import(`${lib}http/ws/mod.${extension}`);

const room = new Set();
const ignore = () => {}; // The peer is gone.

const echo = websocket(async (ws, { target }) => {
  if (target === "/cast") return await join(ws);
  for (let message; (message = await ws.read()) !== null;) await ws.write(message);
}, { pingInterval: 0 }); // The generator knows no Pings.

async function join(ws) {
  room.add(ws);
  for (let message; (message = await ws.read()) !== null;) {
    const prepared = prepareMessage(message);
    for (const member of room) member.write(prepared).catch(ignore);
  }
  room.delete(ws);
}

const listener = await systemTransport.listen({ host: "127.0.0.1" });
console.log(listener.addr.port);
await serveLight(listener, echo, { maxConnections: 20_000 }).finished;
