// What remains of a web server without HTTP and files: a prepared response for each read.
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** As much as a socket is given at a time. */
const PIECE = 256 * 1024;

/** Makes the response with a file, or undefined for another path. It is made at the first request. */
function makeResponse(dir, path) {
  if (path !== "/1k.html" && path !== "/100m.bin") return undefined;
  const body = readFileSync(join(dir, path));
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Returns a listener for TLS sockets, which answers their requests with the files in `dir`. */
export function prepared(dir) {
  const responses = new Map();
  return (socket) => {
    socket.on("error", () => {});
    socket.on("data", async (request) => {
      const [, path] = request.toString("latin1", 0, 64).split(" ", 2);
      const response = responses.get(path) ?? makeResponse(dir, path);
      if (response === undefined) return void socket.destroy();
      responses.set(path, response);
      for (let at = 0; at < response.length && !socket.destroyed; at += PIECE) {
        await new Promise((left) => socket.write(response.subarray(at, at + PIECE), left));
      }
    });
  };
}
