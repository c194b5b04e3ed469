// A page's server in memory, for tests in plain HTTP.

import { requestHttp } from "../../lib/http/client/request.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { observeBorrowed } from "../../lib/observe/observe.ts";
import type { Transport } from "../../lib/net/transport.ts";
import { Hub, type HubOptions } from "../../lib/cli/watch/hub.ts";
import type { ReplayedRecording } from "../../lib/cli/watch/replayed_recording.ts";
import { serveWatch } from "../../lib/cli/watch/server.ts";

/** A message of a stream. */
export interface Message {
  readonly event: string;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

/** A response that was read. */
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A hub, the transport that it watches, and its pages. */
export interface Watching extends AsyncDisposable {
  readonly hub: Hub;
  /** What is watched. */
  readonly transport: Transport;
  readonly url: string;
  /** How many streams there are. */
  readonly streams: () => number;
  /** Asks for a path of the page; with its token unless the path has a query with one. */
  get(path: string, headers?: readonly string[], method?: string): Promise<Got>;
  /** The messages of a stream, until it is left. */
  events(path: string): AsyncGenerator<Message>;
}

/** Starts to watch a transport in memory. */
export async function watching(options: Partial<HubOptions> = {}): Promise<Watching> {
  const hub = new Hub({ title: "a test", ...options });
  const pages = await pagesOf(hub);
  return { hub, transport: observeBorrowed(new MemoryTransport(), hub.sink), ...pages };
}

/** Serves the pages of a hub or a recording. */
export async function pagesOf(
  watched: Hub | ReplayedRecording,
): Promise<Omit<Watching, "hub" | "transport">> {
  const net = new MemoryTransport();
  const server = await serveWatch(watched, net);
  const { origin, searchParams } = new URL(server.url);
  const ask = (path: string, headers: readonly string[] = [], method = "GET") => {
    const url = new URL(path, origin);
    if (!url.searchParams.has("token")) url.searchParams.set("token", searchParams.get("token")!);
    return requestHttp(net, { url, headers, method });
  };
  return {
    url: server.url,
    async get(path, headers, method) {
      const response = await ask(path, headers, method);
      const bytes = await response.bytes();
      const text = new TextDecoder().decode(bytes);
      return { status: response.status, headers: response.headers, bytes, text };
    },
    streams: () => server.streams,
    async *events(path) {
      const response = await ask(path);
      const decoder = new TextDecoder();
      let text = "";
      for await (const bytes of response) {
        text += decoder.decode(bytes, { stream: true });
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
          text = text.slice(end + 2);
          if (event !== undefined) yield { event, data: JSON.parse(data) };
        }
      }
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** The first message that fits. */
export async function first(
  messages: AsyncGenerator<Message>,
  // deno-lint-ignore no-explicit-any
  fits: (data: any) => boolean = () => true,
  // deno-lint-ignore no-explicit-any
): Promise<any> {
  for await (const { data } of messages) if (fits(data)) return data;
  throw new Error("The stream ended");
}
