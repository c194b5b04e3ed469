/**
 * Reading recordings. They may come from anybody, so each line is checked.
 *
 * @module
 */

import { checkSource } from "./arguments.ts";
import { emptyRecording, noRecording, RecordingError } from "./error.ts";
import type { RecordedEvent, Recording, RecordingHead } from "./format.ts";
import { parseEvent, parseHead } from "./parse.ts";

/** The longest line in UTF-16 units: {@linkcode MAX_LINE_DATA} with each byte escaped, and the rest. */
const MAX_LINE = 8 * 1024 * 1024;

/** The most events: they are kept in memory, in which each takes several hundred bytes. */
const MAX_EVENTS = 4_000_000;

/** The source of a recording: its text, or the pieces of a file or a stream. */
export type RecordingSource = string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Reads a recording. A last line that broke off is left out, and `warning` says so. Rejects with a
 * {@linkcode RecordingError} for what is not a recording, or of another version.
 */
export async function readRecording(source: RecordingSource): Promise<Recording> {
  checkSource(source);
  return await readAtMost(MAX_EVENTS, source);
}

/** Reads a recording of at most `most` events. */
export async function readAtMost(most: number, source: RecordingSource): Promise<Recording> {
  let head: RecordingHead | undefined;
  const events: RecordedEvent[] = [];
  let warning: string | undefined;
  let number = 0;
  for await (const { text, whole } of linesOf(source)) {
    number++;
    if (text.length > MAX_LINE) throw new RecordingError(number, "it is too long.");
    if (!whole && (head === undefined || !isJson(text))) {
      if (head === undefined) throw noRecording();
      warning = `The last line (${number}) broke off and is left out.`;
    } else if (head === undefined) {
      head = parseHead(text);
    } else if (events.length === most) {
      throw new RecordingError(
        number,
        `it has more than ${most} events. Read its first lines only, which are a recording, too.`,
      );
    } else {
      events.push(parseEvent(text, number));
    }
  }
  if (head === undefined) throw emptyRecording();
  return { head, events, warning };
}

/** The lines of a source; the last is not whole if it has no line end. */
async function* linesOf(source: RecordingSource): AsyncGenerator<{ text: string; whole: boolean }> {
  const decoder = new TextDecoder();
  let rest = "";
  const pieces = typeof source === "string" ? [source] : source;
  for await (const piece of pieces) {
    const text = typeof piece === "string" ? piece : decoder.decode(piece, { stream: true });
    const lines = text.split("\n");
    lines[0] = rest + lines[0];
    rest = lines.pop()!;
    for (const text of lines) yield { text, whole: true };
    if (rest.length > MAX_LINE) break;
  }
  if (rest !== "") yield { text: rest, whole: false };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
