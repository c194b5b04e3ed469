/**
 * The server of the pages, on a port of this machine that is free.
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";
import { serveLight } from "../../http/server/server.ts";
import type { Transport } from "../../net/transport.ts";
import { newToken } from "./page_access.ts";
import { WatchPages } from "./handler.ts";
import type { Hub } from "./hub.ts";
import type { ReplayedRecording } from "./replayed_recording.ts";

/** More connections than pages need; the longest idle makes room. */
const MOST_CONNECTIONS = 64;

/** A server of pages that runs. */
export interface WatchServer {
  /** The URL to open, with the token. */
  readonly url: string;
  /** The number of streams of messages. Each page that is looked at has one. */
  readonly streams: number;
  /** Ends it, and the streams of its pages. */
  close(): Promise<void>;
}

/** Serves pages of `watched`. Rejects with a `SocketError` as {@linkcode Transport.listen} does. */
export async function serveWatch(
  watched: Hub | ReplayedRecording,
  transport: Transport,
  clock: Clock = systemClock,
): Promise<WatchServer> {
  const token = newToken();
  const pages = new WatchPages(watched, { token, clock });
  const listener = await transport.listen({ host: "127.0.0.1", port: 0 });
  const server = serveLight(listener, pages.handler, {
    maxConnections: MOST_CONNECTIONS,
    drainTimeout: 0,
    clock,
    // A page that leaves is not a bug; what else goes wrong is in its response.
    onError: () => {},
  });
  return {
    url: `http://127.0.0.1:${listener.addr.port}/?token=${token}`,
    get streams() {
      return pages.streams;
    },
    async close() {
      pages.close();
      await server.stop();
    },
  };
}
