/**
 * The output of `web -v`: the requests and the responses, head by head, as `get -v` shows them.
 *
 * @module
 */

import { counted } from "../../../base/counted.ts";
import { followMessages, type Passed } from "../../../http/message/follow_messages.ts";
import { AUTHORIZATION_FIELDS } from "../../../base/header_fields.ts";
import { redacting } from "../../../recording/redact.ts";
import { httpWords } from "../../drawing/http_drawing.ts";
import type { Transcript } from "../../io/log.ts";
import { quote } from "../../io/quote.ts";
import { serverTranscript } from "../../io/transcript.ts";
import type { ShownOptions } from "../../options/transport.ts";

/** The lines that show what has passed; `mark` stands before each. */
function linesOf(passed: Passed, mark: string): string[] {
  switch (passed.type) {
    case "head": {
      const lines = [passed.first, ...fieldLines(passed.headers)];
      return [...lines.map((line) => `${mark} ${line}`), mark];
    }
    case "content":
      return [`${mark} (${counted(passed.size, "byte")} of content)`];
    case "other":
      return [`${mark} ${quote(passed.bytes)}`];
  }
}

function fieldLines(headers: readonly string[]): string[] {
  return headers.flatMap((name, i) => i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []);
}

/** How its sockets are shown: with *** for passwords, and in the words of HTTP. */
export const SITE_SHOWN: ShownOptions = {
  shown: redacting(AUTHORIZATION_FIELDS),
  words: httpWords("server"),
};

/** Makes the transcript: `<` is before what is received, `>` before what is sent. */
export function webTranscript(): Transcript {
  const others = serverTranscript();
  const open = new Map<number, ReturnType<typeof followMessages>>();
  return (event) => {
    if (event.type === "accept") open.set(event.socket, followMessages());
    if (event.type !== "recv" && event.type !== "send") {
      const lines = others(event);
      if (event.type === "close") open.delete(event.socket);
      // The end of the stream is not a request.
      return event.type === "eof" ? lines.slice(1) : lines;
    }
    const followed = open.get(event.socket);
    const [follow, mark] = event.type === "recv"
      ? [followed?.requests, "<"]
      : [followed?.responses, ">"];
    const lines = (follow?.(event.data) ?? []).flatMap((passed) => linesOf(passed, mark));
    return open.size > 1 ? lines.map((line) => `[${event.socket}] ${line}`) : lines;
  };
}
