import http from "node:http";
import process from "node:process";

const server = http.createServer((_request, response) => {
  response.setHeader("Content-Type", "text/plain");
  response.end("Hello, World!");
});
server.listen(Number(process.argv[2]), "127.0.0.1");
