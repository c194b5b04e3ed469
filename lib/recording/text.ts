/**
 * Recordings as text: a summary, and each connection drawn in columns.
 *
 * @module
 */

import { escapeText } from "../base/escape.ts";
import { counted } from "../base/counted.ts";
import { formatSize } from "../base/size.ts";
import { checkRecording } from "./arguments.ts";
import { bytesFrom, connectionsOf, describeEnd, type RecordedConnection } from "./connections.ts";
import { headingLines, roomOf, rowLines, type Sheet } from "./text_columns.ts";
import type { Recording } from "./format.ts";
import { formatTime, sequenceOf } from "./sequence_diagram.ts";

/** Writes a summary: a line for what it is, and one for each connection. */
export function summaryOf(recording: Recording): string {
  checkRecording("summaryOf", recording);
  const { head, events } = recording;
  const connections = connectionsOf(recording);
  const last = events.at(-1)?.time ?? 0;
  const about = [
    `Recorded ${head.started} by ${head.program} on ${head.runtime}`,
    `${counted(events.length, "event")} of ${counted(connections.length, "connection")} in ${
      formatTime(last)
    }`,
  ].map(escapeText);
  const numbers = new Map(connections.map(({ socket, number }) => [socket, number]));
  const lines = connections.flatMap((connection) => summaryLines(connection, numbers));
  return [...about, "", ...lines].join("\n") + "\n";
}

function summaryLines(
  connection: RecordedConnection,
  numbers: ReadonlyMap<number, number>,
): string[] {
  const { number, client, server, began, ended, peer, datagrams } = connection;
  const [up, down] = [bytesFrom("client", connection), bytesFrom("server", connection)];
  const joined = peer === undefined ? "" : `, joined to #${numbers.get(peer)}`;
  const lasted = ended === undefined ? "" : `, ${formatTime(ended - began)}`;
  return [
    `#${number} ${client || "?"} to ${server || "?"}${datagrams ? " (UDP)" : ""}${joined}`,
    `   ${formatSize(up)} up, ${formatSize(down)} down${lasted}: ${describeEnd(connection)}`,
  ].map(escapeText);
}

/** The width of a drawing. */
const WIDTH = 80;

/** Draws each connection as two columns, with times and first bytes. A line has 80 characters at most. */
export function toText(recording: Recording): string {
  checkRecording("toText", recording);
  return connectionsOf(recording).map(drawn).join("\n");
}

function drawn(connection: RecordedConnection): string {
  const { number, client, server, began } = connection;
  const mark = `#${number}`;
  const sheet: Sheet = { width: WIDTH, sides: ["client", "server"], color: false };
  const lines = headingLines(sheet, mark, [client || "?", server || "?"]);
  for (const { time, kind, from, label, preview } of sequenceOf(connection, roomOf(sheet))) {
    const text = [label, preview].filter(Boolean).join("  ");
    const at = formatTime(time - began);
    lines.push(...rowLines(sheet, { mark: "", time: at, gap: 0, kind, from, text }));
  }
  return `${lines.join("\n")}\n`;
}
