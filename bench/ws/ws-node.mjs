/**
 * An echo server of the package ws: `ws-node.mjs MODULE`, where MODULE is the URL of its module.
 *
 * @module
 */

import process from "node:process";

const { WebSocketServer } = await import(process.argv[2]);
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket) => {
  socket.on("error", () => {}); // The peer is gone.
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on("listening", () => console.log(server.address().port));
