// node:https with the files in memory.
import { readFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import process from "node:process";

const [port, dir, cert, key] = process.argv.slice(2);
const files = new Map(["1k.html", "100m.bin"].map((name) => [
  `/${name}`,
  readFileSync(join(dir, name)),
]));
const identity = { cert: readFileSync(cert), key: readFileSync(key) };
https.createServer(identity, (request, response) => {
  const body = files.get(request.url);
  response.writeHead(body === undefined ? 404 : 200, { "Content-Length": body?.length ?? 0 });
  response.end(body);
}).listen(Number(port), "127.0.0.1");
