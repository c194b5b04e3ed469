/**
 * One connection as a file: its recording, or what is made of that.
 *
 * @module
 */

import { safeJson } from "../../base/escape.ts";
import { toHar } from "../../recording/har/har.ts";
import { toPcapng } from "../../recording/pcapng/pcapng.ts";
import { readRecording } from "../../recording/read.ts";
import { toSvg } from "../../recording/svg.ts";
import type { WatchedConnection } from "./connection.ts";
import type { Watched } from "./hub.ts";
import type { Picture } from "./picture.ts";

/** A file to save. */
export interface Download {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** The formats, by the ends of the files' names. */
export const FORMATS = ["jsonl", "pcapng", "har", "svg"] as const;

/** The format of a {@linkcode Download}. */
export type Format = typeof FORMATS[number];

/** Makes a file of a connection, with what it is joined to, and the races of both. */
export async function download(
  { head, picture }: Watched,
  connection: WatchedConnection,
  format: Format,
): Promise<Download> {
  const text = `${safeJson(head)}\n${linesOf(picture, connection)}`;
  if (format === "jsonl") return { type: "application/jsonl;charset=utf-8", body: text };
  const recording = await readRecording(text);
  if (format === "svg") return { type: "image/svg+xml;charset=utf-8", body: toSvg(recording) };
  if (format === "pcapng") return { type: "application/x-pcapng", body: toPcapng(recording) };
  return { type: "application/json;charset=utf-8", body: `${safeJson(toHar(recording))}\n` };
}

/** The lines of all that belongs to a connection, in order of time. */
function linesOf(picture: Picture, connection: WatchedConnection): string {
  const related = picture.related(connection);
  const races = new Set(related.flatMap(({ race }) => race ?? []));
  const lines = [...races].map((race) => picture.race(race)?.lines ?? "");
  for (const { history } of related) {
    lines.push(...history.since(0, Infinity).map(({ lines }) => lines));
  }
  const timed = lines.join("").trimEnd().split("\n").filter((line) => line !== "")
    .map((line) => ({ line, time: (JSON.parse(line) as { time: number }).time }));
  return timed.sort((a, b) => a.time - b.time).map(({ line }) => `${line}\n`).join("");
}
