/**
 * An echo server of the package ws, and at /cast a room whose members all get each message:
 * `ws-node.mjs MODULE [framed]`, where MODULE is the URL of its module. With `framed`, the frame of a
 * message to all is made once, by what the package has for itself.
 *
 * @module
 */

import process from "node:process";

const [module, framed] = process.argv.slice(2);
const { Sender, WebSocketServer } = await import(module);
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
const room = new Set();

server.on("connection", (socket, { url }) => {
  socket.on("error", () => {}); // The peer is gone.
  if (url !== "/cast") {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    return;
  }
  room.add(socket);
  socket.on("close", () => room.delete(socket));
  socket.on("message", framed ? castFrame : cast);
});
server.on("listening", () => console.log(server.address().port));

function cast(data, binary) {
  for (const member of room) member.send(data, { binary });
}

function castFrame(data, isBinary) {
  const opcode = isBinary ? 2 : 1;
  const options = { fin: true, opcode, mask: false, readOnly: true, rsv1: false };
  const frame = Buffer.concat(Sender.frame(data, options));
  for (const member of room) member._socket.write(frame);
}
