/**
 * The messages of a WebSocket, as the developer tools of browsers have them in an archive.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { valueOf } from "../../http/message/header_list.ts";
import { Assembler, type WsMessage } from "../../http/ws/assembler.ts";
import { DEFLATE, parseExtensions } from "../../http/ws/deflate.ts";
import { WsError } from "../../http/ws/error.ts";
import { FrameParser, OPCODE, type WsRole } from "../../http/ws/frame.ts";
import { wsSettings } from "../../http/ws/options.ts";
import { DeflateContext } from "./deflate_context.ts";
import type { Exchange } from "./exchanges.ts";
import type { HarWebSocketMessage } from "./format.ts";
import type { SentStream } from "./sent_stream.ts";
import type { BodyTexts } from "./body_texts.ts";

/** Larger than what servers and clients take: it was recorded, so it is shown. */
const SETTINGS = wsSettings({ maxSize: 128 * 1024 * 1024, maxFragments: 1_000_000 });

/** The messages after the handshake. */
export interface WebSocketMessages {
  readonly messages: HarWebSocketMessage[];
  /** Why not all of it is there. */
  readonly fault: string | undefined;
}

/** The messages after an exchange that has led to a WebSocket. `zero` is when the recording started. */
export function webSocketMessages(
  { request, response }: Exchange,
  up: SentStream,
  down: SentStream,
  zero: number,
  texts: BodyTexts,
): WebSocketMessages {
  const extensions = parseExtensions(
    valueOf(response!.head.headers, "sec-websocket-extensions") ?? "",
  );
  const deflates = extensions?.some(({ name }) => name === DEFLATE) === true;
  const sides = [
    { type: "send", ...messagesIn(up, request.end, "server", deflates) },
    { type: "receive", ...messagesIn(down, response!.end, "client", deflates) },
  ] as const;
  const messages = sides.flatMap(({ type, found }) =>
    found.map(({ message, time }): HarWebSocketMessage => {
      const isText = typeof message === "string";
      const { text = "", comment } = texts.of(Buffer.from(message as string), !isText);
      const opcode = isText ? OPCODE.text : OPCODE.binary;
      return { type, time: (zero + time) / 1000, opcode, data: text, ...comment && { comment } };
    })
  );
  return {
    messages: messages.sort((a, b) => a.time - b.time),
    fault: sides.flatMap(({ fault }) => fault ?? [])[0],
  };
}

interface Found {
  readonly found: { readonly message: WsMessage; readonly time: number }[];
  readonly fault: string | undefined;
}

/** The messages in a stream from `start` on; `role` is the end that receives them. */
function messagesIn(stream: SentStream, start: number, role: WsRole, deflates: boolean): Found {
  const bytes = Buffer.from(stream.bytes.subarray(start));
  const parser = new FrameParser(role, deflates);
  const assembler = new Assembler(SETTINGS, deflates ? new DeflateContext() : undefined);
  const found: { message: WsMessage; time: number }[] = [];
  let fault = stream.missing > 0 ? `${stream.missing} bytes were not recorded` : undefined;
  try {
    for (let at = 0; at < bytes.length;) {
      const payload = parser.header(bytes, at, bytes.length);
      if (payload === -1) break;
      at = parser.payload(bytes, payload, bytes.length);
      if (parser.isControl) continue;
      if (parser.opcode !== OPCODE.continuation) assembler.begin(parser.opcode, parser.compressed);
      assembler.frame();
      assembler.checkSize(assembler.size + at - payload);
      assembler.add(bytes.subarray(payload, at), 0);
      if (parser.left > 0) break;
      if (!parser.fin) continue;
      found.push({ message: assembler.finish(), time: stream.timeAt(start + at - 1) });
    }
  } catch (error) {
    if (!(error instanceof WsError)) throw error;
    fault ??= error.message.replace(/^.*?: /, "").replace(/ \(\d+\)\.$/, "");
  }
  return { found, fault };
}
