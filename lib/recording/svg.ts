/**
 * A connection drawn as a sequence: two columns, time downwards.
 *
 * @module
 */

import { escapeText } from "../base/escape.ts";
import { checkRecording } from "./arguments.ts";
import type { Party, RecordedConnection } from "./connections.ts";
import { drawnConnections } from "./drawing_limit.ts";
import type { Recording } from "./format.ts";
import { formatTime, type SequenceLine, sequenceOf } from "./sequence_diagram.ts";

/** Lengths in pixels. A phone shows this width almost unscaled. */
const [WIDTH, CLIENT_X, SERVER_X, ROW, LINE] = [400, 16, 384, 34, 18];

/**
 * The number of characters that fit: in a name, in both names beside each other, over an arrow,
 * below it.
 */
const FITS = { name: 44, names: 50, label: 25, preview: 46 };

/** A gap in time that is longer than this, in milliseconds, is drawn as a break. */
const GAP_MS = 1000;

/** Colours that the colour-blind can tell apart, for light and for dark pages (Okabe and Ito). */
const STYLE = `
  text { font: 14px system-ui, sans-serif; fill: var(--ink); }
  .mono { font: 13px ui-monospace, monospace; white-space: pre; }
  .title { font-weight: 600; }
  .name { font: 600 12px ui-monospace, monospace; }
  .time { fill: var(--soft); font-size: 12px; }
  line { stroke: var(--soft); }
  .life { stroke-dasharray: 3 4; }
  .client { stroke: var(--client); } .server { stroke: var(--server); } .reset { stroke: var(--reset); }
  .client-head { fill: var(--client); } .server-head { fill: var(--server); } .reset-head { fill: var(--reset); }
  .arrow { stroke-width: 2; }
  .fin { stroke-dasharray: 6 4; }
  svg { --ink: #1b1f24; --soft: #59636e; --client: #0072b2; --server: #b35900; --reset: #c2185b; --page: #ffffff; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6edf3; --soft: #9198a1; --client: #56b4e9; --server: #e69f00; --reset: #ff6f9c; --page: #0d1117; }
  }
`;

/**
 * Makes a picture of all connections, one below the other. Throws a RangeError for more than 10,000 steps.
 */
export function toSvg(recording: Recording): string {
  checkRecording("toSvg", recording);
  let y = 0;
  const drawn: string[] = [];
  const names: string[] = [];
  for (const connection of drawnConnections(recording)) {
    const { body, height } = draw(connection);
    drawn.push(`<g transform="translate(0 ${y})">${body}</g>`);
    names.push(`connection ${connection.number}`);
    y += height;
  }
  const height = Math.max(y, ROW);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" ` +
    `height="${height}" role="img" aria-label="${escaped(`Sequence of ${names.join(", ")}`)}">` +
    `<style>${STYLE}</style><rect width="100%" height="100%" fill="var(--page)"/>\n` +
    `${drawn.join("\n")}\n</svg>\n`;
}

function draw(connection: RecordedConnection): { body: string; height: number } {
  const { number, began } = connection;
  const { body: titles, top } = titlesOf(connection);
  const rows: string[] = [];
  let y = top + ROW;
  let last = began;
  for (const line of sequenceOf(connection)) {
    if (line.time - last > GAP_MS) {
      rows.push(text(WIDTH / 2, y, `⋯ ${formatTime(line.time - last)} ⋯`, "time", "middle"));
      y += ROW;
    }
    rows.push(row(line, y, began));
    y += below(line) === "" ? ROW : ROW + LINE;
    last = line.time;
  }
  const end = y - ROW / 2;
  const body = [
    text(WIDTH / 2, 24, `Connection ${number}`, "title", "middle"),
    titles,
    `<line class="life" x1="${CLIENT_X}" y1="${top}" x2="${CLIENT_X}" y2="${end}"/>`,
    `<line class="life" x1="${SERVER_X}" y1="${top}" x2="${SERVER_X}" y2="${end}"/>`,
    ...rows,
  ].join("\n");
  return { body, height: end + ROW };
}

/** The names of both sides, one below the other where they are long; the lines begin at `top`. */
function titlesOf({ client, server }: RecordedConnection): { body: string; top: number } {
  const [left, right] = [titleOf("client", client), titleOf("server", server)];
  const y = 50;
  const lower = left.length + right.length > FITS.names ? y + LINE : y;
  const body = text(8, y, left, "name", "start") +
    text(WIDTH - 8, lower, right, "name", "end");
  return { body, top: lower + 8 };
}

function row(line: SequenceLine, y: number, began: number): string {
  const { time, kind, from, label, preview } = line;
  const style = preview === "" ? "" : "mono";
  const words = text(CLIENT_X + 8, y - 6, formatTime(time - began), "time", "start") +
    text(WIDTH / 2, y + 17, short(below(line), FITS.preview), style, "middle");
  if (from === undefined) return words;
  const [x1, x2] = from === "client" ? [CLIENT_X, SERVER_X] : [SERVER_X, CLIENT_X];
  const colour = kind === "reset" ? "reset" : from;
  const dashed = kind === "fin" || kind === "close" ? " fin" : "";
  const back = x1 < x2 ? -9 : 9;
  return words +
    `<line class="arrow ${colour}${dashed}" x1="${x1}" y1="${y}" x2="${x2 + back}" y2="${y}"/>` +
    `<path class="${colour}-head" d="M${x2} ${y} l${back} -5 v10 z"/>` +
    text(WIDTH / 2, y - 6, short(label, FITS.label), "", "middle");
}

/** Returns the text below the arrow: the first bytes, or the words where there is no arrow. */
function below({ from, label, preview }: SequenceLine): string {
  return from === undefined ? [label, preview].filter(Boolean).join("  ") : preview;
}

/** The end of a long name says more than its beginning: a port, the name of a file. */
function titleOf(party: Party, name: string): string {
  const escaped = escapeText(name);
  const shown = escaped.length > FITS.name ? `…${escaped.slice(1 - FITS.name)}` : escaped;
  return `${party} ${shown || "?"}`;
}

function short(words: string, most: number): string {
  return words.length > most ? `${words.slice(0, most - 1)}…` : words;
}

/** No words are no element. */
function text(x: number, y: number, words: string, style: string, anchor: string): string {
  if (words === "") return "";
  const name = style === "" ? "" : ` class="${style}"`;
  return `<text x="${x}" y="${y}"${name} text-anchor="${anchor}">${escaped(words)}</text>`;
}

/**
 * Characters that XML cannot have, besides the control characters: halves of characters, and no
 * characters.
 */
const NOT_IN_XML = /[\ud800-\udfff\ufffe\uffff]/gu;

/** Text as XML. Control characters are escaped as in a log. */
function escaped(text: string): string {
  return escapeText(text).replace(NOT_IN_XML, "\ufffd")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
