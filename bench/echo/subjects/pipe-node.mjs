/**
 * The echo server of Node's own documentation, `socket.pipe(socket)`: what plainsocket on Node is
 * measured against.
 *
 * @module
 */

import { createServer } from "node:net";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {}); // The peer is gone.
  socket.pipe(socket);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
