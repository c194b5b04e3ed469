/**
 * Header fields on the command line, as curl has them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { checkField } from "../../base/header_fields.ts";
import { UsageError } from "../io/flags.ts";

/** Reads `Name: value`, or `Name;` for an empty value. Throws a {@linkcode UsageError}. */
export function parseField(line: string): { name: string; value: string } {
  const match = /^([^:;]+)(?::[\t ]*(.*?)[\t ]*|;)$/s.exec(line);
  if (match === null) throw new UsageError(`takes 'Name: value', not '${line}'`);
  const [, name, text = ""] = match;
  const value = Buffer.from(text).toString("latin1");
  checked("takes 'Name: value'", () => checkField(name, value));
  return { name, value };
}

/** Has a check of the library throw a {@linkcode UsageError}. */
export function checked(takes: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`${takes}: ${error.message}`);
  }
}
