/**
 * A web server that runs.
 *
 * @module
 */

import { Child, freePort, sleep } from "./children.ts";

/** A server, and its port on 127.0.0.1. */
export interface Running {
  readonly child: Child;
  readonly port: number;
}

/** How long a server may take until it answers, in milliseconds. */
const START_MS = 60_000;

/** Starts a server, and waits until it answers a GET with 200. `client` makes the request. */
export async function start(
  command: (port: number) => readonly string[] | Promise<readonly string[]>,
  url: (port: number) => string,
  client?: Deno.HttpClient,
): Promise<Running> {
  const port = await freePort();
  const child = new Child(await command(port));
  for (let waited = 0; waited < START_MS && child.running; waited += 50) {
    const response = await fetch(url(port), { client }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return { child, port };
    await sleep(50);
  }
  await child.stop();
  throw new Error(`${child.command}: it does not answer`);
}
