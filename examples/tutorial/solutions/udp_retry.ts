#!/usr/bin/env -S deno run -A
// Step 10: asks up to three times, since a question or its answer may get lost.
// usage: udp_retry.ts [HOST [PORT [SECONDS]]]       SECONDS to wait for each answer

import process from "node:process";
import { type Datagram, escapeText, systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000", seconds = "1"] = process.argv.slice(2);

/** Asks again and again; closes the socket when the last answer has not come, either. */
function keepAsking(sock: Datagram, question: Uint8Array, times: number): void {
  if (times === 0) return sock.close(new Error("no answer"));
  sock.send(question).catch(explain);
  timer = setTimeout(() => keepAsking(sock, question, times - 1), Number(seconds) * 1000);
}

let timer: ReturnType<typeof setTimeout> | undefined;
const remote = { host, port: Number(port) };
const sock = await systemTransport.listenDatagram({ remote }).catch(explain);
keepAsking(sock, new TextEncoder().encode("hello, datagrams"), 3);
try {
  const data = new Uint8Array(65_535);
  const { size } = await sock.receive(data);
  console.log(escapeText(new TextDecoder().decode(data.subarray(0, size))));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  clearTimeout(timer);
  sock.close();
}
