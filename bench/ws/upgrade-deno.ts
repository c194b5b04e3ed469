/**
 * An echo server on Deno's own WebSockets, and at /cast a room whose members all get each message.
 *
 * @module
 */

const room = new Set<WebSocket>();

Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
  (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.binaryType = "arraybuffer";
    if (!request.url.endsWith("/cast")) {
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    }
    socket.onopen = () => room.add(socket);
    socket.onclose = () => room.delete(socket);
    socket.onmessage = ({ data }) => {
      for (const member of room) member.send(data);
    };
    return response;
  },
);
