/**
 * Messages of a bus, checked: whatever comes from a network may be wrong on purpose.
 *
 * @module
 */

import type { BusMember, BusMessage } from "./bus.ts";
import { cleanText, isName } from "./clean_text.ts";

/** The most bytes of a line, before it is cleaned. */
export const MAX_LINE = 4096;
/** The most members in one part of a roster. */
export const ROSTER_PART = 500;
/** The most parts of a roster. */
export const ROSTER_PARTS = 200;

/** Four for each byte of the longest line: that is how long a control character is when it is escaped. */
const MAX_TEXT = 4 * MAX_LINE;

type Fields = Readonly<Record<string, unknown>>;

/** Returns a message with no more than its fields, its text clean; undefined if it is not valid. */
export function checkedMessage(value: unknown): BusMessage | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Fields;
  if (!isId(fields.server)) return undefined;
  return fields.type === "said" ? lineOf(fields) : presenceOf(fields);
}

function lineOf(fields: Fields): BusMessage | undefined {
  const { member, number, name, text } = fields;
  if (!isCount(member) || !isCount(number) || !isNameOfOne(name)) return undefined;
  if (typeof text !== "string" || text.length > MAX_TEXT) return undefined;
  const server = fields.server as string;
  return { type: "said", server, member, number, name, text: cleanText(text) };
}

function presenceOf(fields: Fields): BusMessage | undefined {
  const { version, name, newName, since, of } = fields;
  const server = fields.server as string;
  switch (fields.type) {
    case "bye":
      return { type: "bye", server };
    case "who":
      return isId(of) || of === "" ? { type: "who", server, of } : undefined;
  }
  if (!isCount(version)) return undefined;
  switch (fields.type) {
    case "alive":
      return { type: "alive", server, version };
    case "left":
      return isNameOfOne(name) ? { type: "left", server, version, name } : undefined;
    case "roster":
      return rosterOf(server, version, fields);
  }
  if (!isNameOfOne(name) || !isCount(since)) return undefined;
  if (fields.type === "joined") return { type: "joined", server, version, name, since };
  if (fields.type !== "renamed" || !isNameOfOne(newName)) return undefined;
  return { type: "renamed", server, version, name, newName, since };
}

function rosterOf(
  server: string,
  version: number,
  { part, parts, members }: Fields,
): BusMessage | undefined {
  if (!isCount(part) || !isCount(parts) || part >= parts || parts > ROSTER_PARTS) return undefined;
  if (!Array.isArray(members) || members.length > ROSTER_PART) return undefined;
  if (!members.every(isMember)) return undefined;
  return { type: "roster", server, version, part, parts, members };
}

function isMember(value: unknown): value is BusMember {
  return Array.isArray(value) && value.length === 2 && isNameOfOne(value[0]) && isCount(value[1]);
}

function isId(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{1,40}$/.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isNameOfOne(value: unknown): value is string {
  return typeof value === "string" && isName(value);
}
