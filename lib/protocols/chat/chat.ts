/**
 * A chat: the clients of one port talk to each other, in lines.
 *
 * @module
 */

import {
  checkOptions,
  CLOCK,
  FUNCTION,
  having,
  integer,
  type Kinds,
  SIGNAL,
} from "../../base/arguments.ts";
import type { Handler } from "../../serve/serve.ts";
import type { ChatPosition } from "./bus.ts";
import { MAX_LINE } from "./bus_message.ts";
import { type ChatOptions, Room } from "./room.ts";
import { LineVoice, type MessageConn, MessageVoice } from "./lines_or_messages.ts";

const OPTIONS: Kinds<ChatOptions> = {
  signal: SIGNAL,
  maxLine: integer(1, MAX_LINE),
  maxQueue: integer(1),
  onEvent: FUNCTION,
  bus: having("a Bus, such as memoryBus()", "publish", "subscribe"),
  clock: CLOCK,
};

/**
 * Makes a handler for {@linkcode serve} with which clients talk to each other.
 *
 * - A line (UTF-8, LF or CRLF) goes to all others, with the name of who said it: `guest1: hello`.
 *   Lines of the server begin with `* `: who is there, who comes, and who leaves.
 * - A client is called `guest1`, `guest2` and so on, until it says `/nick NAME`.
 * - Control characters arrive escaped, so that nobody can steer the terminal of another.
 * - Telnet's commands (RFC 854) are not text: its options are refused, and Ctrl-C there is answered
 *   (RFC 860), so that the client goes on showing what comes.
 * - A line over `maxLine` goes to nobody, and its sender is notified. The lines after it are sent.
 * - Nobody waits for anybody: what a client has not taken waits for it, up to `maxQueue`. Who reads
 *   too slowly for that is dropped with a reset, and its handler rejects with ETIMEDOUT.
 * - A client that says `/quit` has left, and what it sent after that is not read.
 * - A client that half-closes has left, and gets what still waits for it.
 * - When the server ends a connection, it half-closes after the last line, and drops what the client
 *   still sends, for up to a second: so that line arrives, whoever is talking.
 *
 * @example
 * ```ts
 * import { serve } from "@plainsocket/plainsocket";
 * import { chat } from "@plainsocket/plainsocket/chat";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * const listener = await transport.listen({ port: 7 });
 * const stop = new AbortController();
 * const server = serve(listener, chat({ signal: stop.signal }), { signal: stop.signal });
 *
 * using conn = await transport.connect({ host: "localhost", port: 7 });
 * const buffer = new Uint8Array(1024);
 * const n = await conn.read(buffer);
 * assert.match(new TextDecoder().decode(buffer.subarray(0, n!)), /^\* You are guest1/);
 *
 * stop.abort();
 * await server.finished;
 * ```
 */
export function chat(options: ChatOptions = {}): Handler {
  return chatRoom(options).handler;
}

/** A room that clients of lines and clients of messages share. */
export interface ChatRoom {
  /** The handler of {@linkcode chat}, for clients of lines. */
  readonly handler: Handler;
  /**
   * Lets a client of messages in, such as a WebSocket; resolves when it has left and its connection is
   * closed. It says texts, each a line as the others say it, and hears each {@linkcode ChatMessage} as
   * JSON. A binary message closes it with 1003.
   *
   * A client that comes back gives the position up to which it has heard all kept lines. It gets those
   * that it has missed, or a `gap` first if some of them are no longer kept.
   */
  readonly join: (client: MessageConn, from?: ChatPosition) => Promise<void>;
}

/**
 * Makes a room for clients of lines and clients of messages: terminals and browsers. All have the same
 * rules; see {@linkcode chat}.
 *
 * @example
 * ```ts
 * import { serve, systemTransport } from "@plainsocket/plainsocket";
 * import { chatRoom } from "@plainsocket/plainsocket/chat";
 * import { serveHttp } from "@plainsocket/plainsocket/http";
 * import { dialWebSocket, websocket } from "@plainsocket/plainsocket/websocket";
 * import assert from "node:assert/strict";
 *
 * const room = chatRoom();
 * const [forTerminals, forBrowsers] = [
 *   await systemTransport.listen({ host: "127.0.0.1" }),
 *   await systemTransport.listen({ host: "127.0.0.1" }),
 * ];
 * const terminals = serve(forTerminals, room.handler);
 * const browsers = serveHttp(forBrowsers, websocket((ws) => room.join(ws)));
 *
 * const ws = await dialWebSocket(`ws://127.0.0.1:${forBrowsers.addr.port}/`);
 * assert.equal(await ws.read(), '{"type":"welcome","name":"guest1","others":[]}');
 * await ws.close();
 *
 * await Promise.all([terminals.stop(), browsers.stop()]);
 * ```
 */
export function chatRoom(options: ChatOptions = {}): ChatRoom {
  checkOptions("chat", options, OPTIONS, "{ signal }");
  const room = new Room(options);
  return {
    handler: (conn) => room.converse(new LineVoice(conn, room.framing, room.clock)),
    join: (client, from) => room.converse(new MessageVoice(client, room.framing.maxSize), from),
  };
}
