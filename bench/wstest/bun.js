// Bun's own WebSockets: bun bench/wstest/bun.js PORT

globalThis.Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch: (request, server) =>
    server.upgrade(request) ? undefined : new Response("", { status: 426 }),
  websocket: {
    perMessageDeflate: true,
    message: (socket, data) => void socket.send(data),
  },
});
