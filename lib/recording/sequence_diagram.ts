/**
 * A connection as a sequence between client and server: what drawings and texts are made of.
 *
 * @module
 */

import { escapeText } from "../base/escape.ts";
import { formatSize } from "../base/size.ts";
import type { Party, RecordedConnection, RecordedStep } from "./connections.ts";

/** A line of a sequence: an arrow, or words across both. */
export interface SequenceLine {
  readonly time: number;
  readonly kind: RecordedStep["kind"] | "open";
  /** The start of the arrow. Undefined for words. */
  readonly from: Party | undefined;
  /** `17 B`, `FIN`, `RST`, or the words. */
  readonly label: string;
  /** The first bytes, as text or in hex; escaped. */
  readonly preview: string;
}

/** The number of characters of data that are shown by default. */
const PREVIEW = 32;

/** Names of what is not data. */
const LABELS: Partial<Record<RecordedStep["kind"], string>> = {
  fin: "FIN",
  close: "close",
  reset: "RST",
};

/** The sequence of a connection, with at most `characters` of data in each line. */
export function sequenceOf(
  connection: RecordedConnection,
  characters: number = PREVIEW,
): SequenceLine[] {
  const { began, opened, steps, datagrams } = connection;
  const lines: SequenceLine[] = [];
  if (!datagrams) {
    const label = opened === undefined ? "SYN" : "connect";
    lines.push({ time: began, kind: "open", from: "client", label, preview: "" });
  }
  return [...lines, ...steps.map((step) => lineOf(step, characters))];
}

/** The line of a step, with at most `characters` of its data. */
export function lineOf(
  { time, kind, from, data, size, note }: RecordedStep,
  characters: number = PREVIEW,
): SequenceLine {
  if (kind === "data") {
    const label = [formatSize(size), escapeText(note)].filter(Boolean).join(" ");
    return { time, kind, from, label, preview: preview(data, size, characters) };
  }
  const words = escapeText(note);
  return {
    time,
    kind,
    from,
    label: from === undefined ? words : LABELS[kind] ?? words,
    preview: "",
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The first bytes: as text if all that is shown is text, else in hex. */
function preview(data: Uint8Array | undefined, size: number, most: number): string {
  if (data === undefined) return "(not recorded)";
  const start = data.subarray(0, most);
  const more = size > start.length ? "…" : "";
  if (start.every(isText)) {
    return escapeText(decoder.decode(start).replaceAll("\r\n", "↵").replaceAll("\n", "↵")) + more;
  }
  try {
    return escapeText(decoder.decode(data.subarray(0, most * 4)).slice(0, most)) + more;
  } catch {
    return [...start.subarray(0, most / 2)]
      .map((byte) => byte.toString(16).padStart(2, "0")).join(" ") + more;
  }
}

function isText(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** A time of a recording: `0.000123 s` is `0.123 ms`. */
export function formatTime(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(3)} ms` : `${(ms / 1000).toFixed(3)} s`;
}
