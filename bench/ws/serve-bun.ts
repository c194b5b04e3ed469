/**
 * An echo server on Bun's own WebSockets.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any
const { Bun } = globalThis as any;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  // deno-lint-ignore no-explicit-any
  fetch: (request: Request, own: any) => own.upgrade(request) ? undefined : new Response("ws only"),
  websocket: {
    // deno-lint-ignore no-explicit-any
    message: (ws: any, message: string | Uint8Array) => void ws.send(message),
  },
});
console.log(server.port);
