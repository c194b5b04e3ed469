// What remains of a web server without HTTP and files: a prepared response for each read.
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** As much as a socket is given at a time. */
const PIECE = 256 * 1024;

/** Returns what answers the requests that come from a TLS socket, from the files in `dir`. */
export function prepared(dir) {
  const responses = new Map(["1k.html", "100m.bin"].map((name) => {
    const body = readFileSync(join(dir, name));
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
    return [`/${name}`, Buffer.concat([Buffer.from(head), body])];
  }));
  return (socket) => {
    socket.on("error", () => {});
    socket.on("data", async (request) => {
      const [, path] = request.toString("latin1", 0, 64).split(" ", 2);
      const response = responses.get(path);
      if (response === undefined) return void socket.destroy();
      for (let at = 0; at < response.length && !socket.destroyed; at += PIECE) {
        await new Promise((left) => socket.write(response.subarray(at, at + PIECE), left));
      }
    });
  };
}
