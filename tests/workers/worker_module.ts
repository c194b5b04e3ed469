// What the workers of the tests run: an echo, with words that ask for more.

import process from "node:process";
import { serve } from "../../lib/serve/serve.ts";
import type { WorkerMain } from "../../lib/workers/protocol.ts";

/** Where this file is. */
export const WORKER_MODULE: string = import.meta.url;

/** What a worker may be told in its data, beside nothing. */
export interface WorkerOrders {
  /** It throws as soon as it listens. */
  readonly throwAtOnce?: boolean;
}

const main: WorkerMain = async ({ id, data, listen, reportWith }) => {
  let said = 0;
  reportWith(() => ({ id, said }));
  const listener = await listen();
  if ((data as WorkerOrders | undefined)?.throwAtOnce) throw new Error("thrown at once");
  return serve(listener, async (conn) => {
    const buffer = new Uint8Array(1024);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      const text = new TextDecoder().decode(buffer.subarray(0, n));
      said++;
      if (text === "throw") setTimeout(() => fail(), 0);
      if (text === "hang") { for (;;); }
      const reply = text === "who" ? `${id} ${process.pid}` : text;
      await conn.write(new TextEncoder().encode(reply));
    }
  });
};
export default main;

function fail(): never {
  throw new Error("thrown by a worker on purpose");
}
