/**
 * Recordings as text: a summary, and each connection as a column of arrows.
 *
 * @module
 */

import { escapeText } from "../base/escape.ts";
import { counted } from "../base/plural.ts";
import { formatSize } from "../base/size.ts";
import { bytesFrom, connectionsOf, describeEnd, type RecordedConnection } from "./conversations.ts";
import type { Recording } from "./format.ts";
import { formatTime, sequenceOf } from "./sequence.ts";

/** Writes a summary: a line for what it is, and one for each connection. */
export function summaryOf(recording: Recording): string {
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

/** Writes each connection as arrows between client and server, with times and first bytes. */
export function toText(recording: Recording): string {
  return connectionsOf(recording).map((connection) => {
    const { number, client, server } = connection;
    const title = `#${number} client ${client || "?"}, server ${server || "?"}`;
    const lines = sequenceOf(connection).map(({ time, from, label, preview }) => {
      const at = formatTime(time - connection.began).padStart(12);
      if (from === undefined) return `${at}   ${label}`;
      const arrow = from === "client" ? "client ──▶ server" : "client ◀── server";
      return `${at}   ${arrow}  ${label.padEnd(9)} ${preview}`.trimEnd();
    });
    return [escapeText(title), ...lines, ""].join("\n");
  }).join("\n");
}
