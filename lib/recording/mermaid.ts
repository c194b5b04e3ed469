/**
 * A connection as a sequence diagram of Mermaid, for documents.
 *
 * @module
 */

import { connectionsOf, type RecordedConnection } from "./conversations.ts";
import type { Recording } from "./format.ts";
import { formatTime, type SequenceLine, sequenceOf } from "./sequence.ts";

/** What has a meaning in Mermaid, or in the HTML that is made of it. */
const SPECIAL = /[#;<>&"'`{}[\]()\\%|]|[^\x20-\x7e]/gu;

/** Makes one diagram for each connection. */
export function toMermaid(recording: Recording): string {
  return connectionsOf(recording).map(diagramOf).join("\n");
}

function diagramOf(connection: RecordedConnection): string {
  const { client, server, began, number } = connection;
  return [
    "sequenceDiagram",
    `  title Connection ${number}`,
    `  participant C as ${escaped(`client ${client || "?"}`)}`,
    `  participant S as ${escaped(`server ${server || "?"}`)}`,
    ...sequenceOf(connection).map((line) => `  ${lineOf(line, began)}`),
    "",
  ].join("\n");
}

function lineOf({ time, kind, from, label, preview }: SequenceLine, began: number): string {
  const words = escaped([formatTime(time - began), label, preview].filter(Boolean).join(" "));
  if (from === undefined) return `Note over C,S: ${words}`;
  const [one, other] = from === "client" ? ["C", "S"] : ["S", "C"];
  // A cross at the end of the line is what is lost.
  return `${one}${kind === "reset" ? "-x" : "->>"}${other}: ${words}`;
}

/** Text without meaning for Mermaid: characters as their numbers (`#35;`). */
function escaped(text: string): string {
  return text.replace(SPECIAL, (character) => `#${character.codePointAt(0)};`);
}
