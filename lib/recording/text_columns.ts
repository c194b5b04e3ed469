/**
 * A connection as text in columns: each side has one, and time goes downwards.
 *
 * @module
 */

import { escapeText } from "../base/escape.ts";
import { clipText, textWidth, wrapText } from "../base/text_width.ts";
import type { Party } from "./connections.ts";
import type { SequenceLine } from "./sequence_diagram.ts";

/** The surface on which columns are drawn. */
export interface Sheet {
  /** The number of characters that a line takes. */
  readonly width: number;
  /** The names of the sides from left to right: two, or three if the middle one is between two. */
  readonly sides: readonly string[];
  /** Whether there are colours, as terminals take them. */
  readonly color: boolean;
}

/** A line of a drawing. */
export interface ColumnRow {
  /** The first word: the number of the connection. */
  readonly mark: string;
  readonly time: string;
  /** Between which sides: 0 is the first and the second one. */
  readonly gap: number;
  readonly kind: SequenceLine["kind"];
  /**
   * The party that the arrow comes from. The client is on the left. Undefined for words without an
   * arrow.
   */
  readonly from: Party | undefined;
  readonly text: string;
  /** Lines below it. */
  readonly details?: readonly string[];
}

/** The columns for the number and the time, and one for space. */
const PREFIX = 17;

/** A narrower line has no columns: the arrow stands before the text. */
const NARROWEST = 48;

/**
 * Colours of the terminal. No information is in the colour alone, and the colour-blind can
 * distinguish these.
 */
const COLORS = {
  soft: "\x1b[2m",
  client: "\x1b[36m",
  server: "\x1b[33m",
  reset: "\x1b[1;31m",
  error: "\x1b[31m",
  fault: "\x1b[35m",
  plain: "",
} as const;

type Style = keyof typeof COLORS;

/** Paints a text. */
function painted(text: string, style: Style, { color }: Sheet): string {
  return color && COLORS[style] !== "" ? `${COLORS[style]}${text}\x1b[0m` : text;
}

/** Returns the columns of the sides' lines. */
function lanesOf({ width, sides }: Sheet): number[] {
  const last = width - 2;
  return sides.map((_, side) => PREFIX + Math.floor(side * (last - PREFIX) / (sides.length - 1)));
}

/** Returns the number of columns for the text of an arrow. */
export function roomOf(sheet: Sheet): number {
  if (sheet.width < NARROWEST) return Math.max(1, sheet.width - PREFIX - 3);
  const [first, second] = lanesOf(sheet);
  return second - first - 7;
}

/** The lines that name the sides, and below them their addresses. */
export function headingLines(
  sheet: Sheet,
  mark: string,
  addresses: readonly string[],
): string[] {
  if (sheet.width < NARROWEST) {
    const ends = sheet.sides.map((side, i) => [side, addresses[i]].filter(Boolean).join(" "));
    return wrapText(`${mark} ${ends.join(" ─ ")}`.trim(), sheet.width - 1);
  }
  return [
    spread(sheet, mark, sheet.sides),
    ...addresses.some((address) => address !== "") ? [spread(sheet, "", addresses)] : [],
  ];
}

/** One text for each side: the first begins at its line, the last ends at its own. */
function spread(sheet: Sheet, mark: string, texts: readonly string[]): string {
  const lanes = lanesOf(sheet);
  const last = lanes.length - 1;
  const room = Math.floor((lanes[last] - lanes[0]) / lanes.length) - 1;
  let line = mark;
  texts.forEach((text, side) => {
    const clipped = clipText(escapeText(text), room);
    const width = textWidth(clipped);
    const before = side === 0 ? 0 : side === last ? width - 1 : Math.floor(width / 2);
    line += " ".repeat(Math.max(1, lanes[side] - before - textWidth(line))) + clipped;
  });
  return line.trimEnd();
}

/** The lines of a step. Its text is escaped. */
export function rowLines(sheet: Sheet, row: ColumnRow): string[] {
  const { mark, time } = row;
  const prefix = mark + time.padStart(Math.max(PREFIX - 1 - mark.length, time.length + 1)) + " ";
  const text = escapeText(row.text);
  const details = (row.details ?? []).map(escapeText);
  const start = painted(prefix, "soft", sheet);
  if (sheet.width < NARROWEST) return narrowLines(sheet, row, start, [text, ...details]);
  const below = " ".repeat(textWidth(prefix));
  const room = roomOf(sheet) + 4;
  const words = (lines: readonly string[]) =>
    lines.flatMap((line) => wrapText(line, room)).map((line) => wordsLine(sheet, row, line));
  const drawn = row.from === undefined
    ? words([text, ...details])
    : [arrowLine(sheet, row, text), ...words(details)];
  return drawn.map((line, i) => (i === 0 ? start : below) + line);
}

function narrowLines(
  sheet: Sheet,
  { from, kind }: ColumnRow,
  start: string,
  texts: readonly string[],
): string[] {
  const arrow = from === undefined ? "" : kind === "reset" ? "✗ " : from === "client" ? "▶ " : "◀ ";
  const room = roomOf(sheet);
  const [first, ...rest] = from === undefined
    ? texts.flatMap((text) => wrapText(text, room))
    : texts.map((text) => clipText(text, room));
  const below = " ".repeat(PREFIX);
  return [
    start + painted(arrow + first, styleOf(kind, from), sheet),
    ...rest.map((text) => below + text),
  ];
}

function styleOf(kind: ColumnRow["kind"], from: Party | undefined): Style {
  if (kind === "reset" || kind === "error" || kind === "fault") return kind;
  return from ?? "plain";
}

/** The lines of the sides, with `middle` between those of the gap. */
function acrossLine(sheet: Sheet, gap: number, left: string, middle: string, right: string) {
  const lanes = lanesOf(sheet);
  let line = "";
  lanes.forEach((lane, side) => {
    line += side === gap ? left : side === gap + 1 ? right : painted("│", "soft", sheet);
    if (side === lanes.length - 1) return;
    line += side === gap ? middle : " ".repeat(lanes[side + 1] - lane - 1);
  });
  return line;
}

function arrowLine(sheet: Sheet, { gap, kind, from }: ColumnRow, text: string): string {
  const lanes = lanesOf(sheet);
  const width = lanes[gap + 1] - lanes[gap] - 1;
  const clipped = clipText(text, width - 6);
  const dash = kind === "fin" || kind === "close" ? "╌" : "─";
  const shaft = dash.repeat(width - 5 - textWidth(clipped));
  const head = kind === "reset" ? "✗" : from === "client" ? "▶" : "◀";
  const style = styleOf(kind, from);
  const soft = painted("│", "soft", sheet);
  return from === "client"
    ? acrossLine(
      sheet,
      gap,
      painted("├", style, sheet),
      painted(`${dash} ${clipped} ${shaft}${dash}${head}`, style, sheet),
      soft,
    )
    : acrossLine(
      sheet,
      gap,
      soft,
      painted(`${head}${dash} ${clipped} ${shaft}${dash}`, style, sheet),
      painted("┤", style, sheet),
    );
}

function wordsLine(sheet: Sheet, { gap, kind, from }: ColumnRow, text: string): string {
  const lanes = lanesOf(sheet);
  const width = lanes[gap + 1] - lanes[gap] - 1;
  const words = painted(text, from === undefined ? styleOf(kind, from) : "soft", sheet);
  const middle = ` ${words}${" ".repeat(Math.max(0, width - 1 - textWidth(text)))}`;
  const soft = painted("│", "soft", sheet);
  return acrossLine(sheet, gap, soft, middle, soft);
}
