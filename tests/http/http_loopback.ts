// An HTTP server on loopback, for clients of other people's making.

import type { Exchange, HttpOptions } from "../../lib/http/server/options.ts";
import { serveHttp } from "../../lib/http/fetch/serve_http.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { randomBytes, turn } from "../support/helpers.ts";

/** See {@linkcode serveHere}. */
export interface LoopbackServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** The responses, in the order they were sent. */
  readonly told: readonly Exchange[];
  /** How many connections the requests came on. */
  readonly connections: number;
  readonly connect: () => Promise<Conn>;
}

/** What `/stream` sends, chunk by chunk. */
export const STREAMED: Uint8Array = randomBytes(200_000);

/**
 * Serves on a free port. `/echo` answers with the content that came, `/stream` with a stream, and
 * anything else with method and path.
 */
export async function serveHere(options: HttpOptions = {}): Promise<LoopbackServer> {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const { port } = listener.addr;
  const stop = new AbortController();
  const told: Exchange[] = [];
  const served = serveHttp(listener, answer, {
    signal: stop.signal,
    onResponse: (exchange) => told.push(exchange),
    ...options,
  }).finished;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    told,
    get connections() {
      return new Set(told.map(({ remoteAddr: addr }) => "port" in addr ? addr.port : addr.path))
        .size;
    },
    connect: () => systemTransport.connect({ host: "127.0.0.1", port }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await served;
    },
  };
}

async function answer(request: Request): Promise<Response> {
  const { method, url } = request;
  const { pathname } = new URL(url);
  if (pathname === "/stream") return new Response(stream());
  if (pathname !== "/echo") return new Response(`${method} ${pathname}\n`);
  return new Response(await request.arrayBuffer(), { headers: { "X-Method": method } });
}

function stream(): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      // So that it comes as more than one chunk.
      await turn();
      controller.enqueue(STREAMED.subarray(at, at += 50_000));
      if (at === STREAMED.length) controller.close();
    },
  });
}
