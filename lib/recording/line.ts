/**
 * The lines of a recording, in JSON.
 *
 * @module
 */

import { Buffer, isAscii, isUtf8 } from "node:buffer";
import { safeJson } from "../base/escape.ts";
import { checkPart } from "./arguments.ts";
import type { RecordedEvent, RecordingHead } from "./format.ts";

/**
 * Makes the line of a head or of an event, with LF at its end. The head and the events of a recording
 * that was read may be changed or left out, and written again.
 *
 * @example The same recording without data
 * ```ts
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import { readRecording, record, recordingLine } from "@plainsocket/plainsocket/recording";
 * import assert from "node:assert/strict";
 *
 * let text = "";
 * const transport = record(new MemoryTransport(), (lines) => text += lines);
 * using listener = await transport.listen();
 * using conn = await transport.connect(listener.addr);
 * await conn.write(new TextEncoder().encode("hello"));
 *
 * const { head, events } = await readRecording(text);
 * const others = events.filter(({ type }) => type !== "send");
 * const lines = [head, ...others].map(recordingLine).join("");
 * assert.doesNotMatch(lines, /hello/);
 * assert.equal((await readRecording(lines)).events.length, others.length);
 * ```
 */
export function recordingLine(value: RecordingHead | RecordedEvent): string {
  checkPart(value);
  const { data, size: _, ...rest } = value as Partial<Extract<RecordedEvent, { size: number }>>;
  // Events that were read may have further fields of any name, but no bytes in them.
  return data instanceof Uint8Array
    ? dataLine(safeJson(rest).slice(0, -1), data)
    : `${safeJson(value)}\n`;
}

/** A line with `text` for what is UTF-8, else with `b64`. Large data is looked at by native code only. */
function dataLine(start: string, data: Uint8Array): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  if (!isUtf8(bytes)) return `${start},"b64":"${bytes.toString("base64")}"}\n`;
  if (!isAscii(bytes)) return `${start},"text":${safeJson(bytes.toString("utf8"))}}\n`;
  const text = JSON.stringify(bytes.toString("latin1"));
  return `${start},"text":${text.includes("\x7f") ? safeJson(JSON.parse(text)) : text}}\n`;
}
