/**
 * Connections as a sequence diagram of Mermaid, for documents.
 *
 * @module
 */

import { escapeText } from "../base/escape.ts";
import { checkRecording } from "./arguments.ts";
import type { RecordedConnection } from "./connections.ts";
import { drawnConnections } from "./drawing_limit.ts";
import type { Recording } from "./format.ts";
import { formatTime, type SequenceLine, sequenceOf } from "./sequence_diagram.ts";

/** Characters with a meaning in Mermaid, or in the HTML that is made of it. */
const SPECIAL = /[#;<>&"'`{}[\]()\\%|:]|[^\x20-\x7e]/gu;

/**
 * Makes a diagram of all connections, one after the other. Throws a RangeError for more than 10,000 steps.
 */
export function toMermaid(recording: Recording): string {
  checkRecording("toMermaid", recording);
  const connections = drawnConnections(recording);
  const lines = [...connections.flatMap(participantsOf), ...connections.flatMap(linesOf)];
  return ["sequenceDiagram", ...lines.map((line) => `  ${line}`), ""].join("\n");
}

function participantsOf({ client, server, number }: RecordedConnection): string[] {
  return [
    `participant C${number} as ${escaped(`client ${client || "?"}`)}`,
    `participant S${number} as ${escaped(`server ${server || "?"}`)}`,
  ];
}

function linesOf(connection: RecordedConnection): string[] {
  const { began, number } = connection;
  const ends = { client: `C${number}`, server: `S${number}` };
  const across = `Note over ${ends.client},${ends.server}:`;
  const lineOf = ({ time, kind, from, label, preview }: SequenceLine) => {
    const words = escaped([formatTime(time - began), label, preview].filter(Boolean).join(" "));
    if (from === undefined) return `${across} ${words}`;
    const to = from === "client" ? "server" : "client";
    // A cross at the end of the line is what is lost.
    return `${ends[from]}${kind === "reset" ? "-x" : "->>"}${ends[to]}: ${words}`;
  };
  return [`${across} Connection ${number}`, ...sequenceOf(connection).map(lineOf)];
}

/**
 * Text without meaning for Mermaid: characters as their numbers (`#35;`). Those that do more than be
 * read are escaped as in a log: Mermaid would make them of their numbers again.
 */
function escaped(text: string): string {
  return escapeText(text).replace(SPECIAL, (character) => `#${character.codePointAt(0)};`);
}
