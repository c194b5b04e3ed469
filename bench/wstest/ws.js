// ws (npm): node bench/wstest/ws.js PORT, where `npm install ws` was done

import { WebSocketServer } from "ws";

const options = { host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: true };
new WebSocketServer(options).on("connection", (socket) => {
  socket.on("message", (data, binary) => socket.send(data, { binary }));
  socket.on("error", () => {});
});
