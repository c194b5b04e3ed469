/**
 * HTTP in the drawing of a connection: each head is an arrow with its fields below, and so is all
 * of the content after it.
 *
 * @module
 */

import { formatSize } from "../../base/size.ts";
import { followMessages, type Passed } from "../../http/message/follow_messages.ts";
import { quote } from "../io/quote.ts";
import type { DiagramMessage, DiagramWords } from "../../recording/live_diagram.ts";

/** The words of a program that is the client or the server of HTTP. */
export function httpWords(role: "client" | "server"): DiagramWords {
  const open = new Map<number, ReturnType<typeof followMessages>>();
  const requested = role === "client" ? "send" : "recv";
  return {
    messages({ socket, type, data }) {
      let followed = open.get(socket);
      if (followed === undefined) open.set(socket, followed = followMessages());
      return followed[type === requested ? "requests" : "responses"](data).map(messageOf);
    },
    closed: (socket) => void open.delete(socket),
  };
}

function messageOf(passed: Passed): DiagramMessage {
  switch (passed.type) {
    case "head":
      return { text: passed.first, details: fieldLines(passed.headers) };
    case "content":
      return { text: `${formatSize(passed.size)} of content` };
    case "other":
      return { text: quote(passed.bytes) };
  }
}

function fieldLines(headers: readonly string[]): string[] {
  return headers.flatMap((name, i) => i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []);
}
