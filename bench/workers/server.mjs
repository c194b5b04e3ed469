// server.mjs MOD WAY WORK: the module MOD is plainsocket, WAY is loop, processes or threads, and WORK
// is 1 if each message is to cost some. Prints the port.

import process from "node:process";

const [mod, way, work] = process.argv.slice(2);
const { startWorkers, systemTransport } = await import(mod);
const module = new URL("./worker.mjs", import.meta.url);
const listen = { host: "127.0.0.1" };
const data = { mod, work: work === "1" };
if (way === "loop") {
  const listener = await systemTransport.listen(listen);
  console.log(listener.addr.port);
  const { default: main } = await import(module);
  await (await main({ data, listen: () => Promise.resolve(listener) })).finished;
} else {
  const workers = await startWorkers(module, { workers: 2, kind: way, listen, data });
  console.log(workers.addr.port);
  await workers.finished;
}
