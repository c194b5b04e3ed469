/**
 * An echo server on Bun's own WebSockets, and at /cast a room whose members all get each message.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any

const { Bun } = globalThis as any;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request: Request, own: any) =>
    own.upgrade(request, { data: { casts: request.url.endsWith("/cast") } })
      ? undefined
      : new Response("ws only"),
  websocket: {
    idleTimeout: 0,
    sendPings: false,
    open: (ws: any) => void (ws.data.casts && ws.subscribe("room")),
    message(ws: any, message: string | Uint8Array) {
      if (ws.data.casts) server.publish("room", message);
      else ws.send(message);
    },
  },
});
console.log(server.port);
