/**
 * The common parts of the two commands.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { writeError } from "../../io/files.ts";
import { type Flag, list, path, seconds, UsageError } from "../../io/flags.ts";
import type { Session } from "../../session.ts";

export const ONLY_FLAG: Flag<readonly string[]> = list(
  "PATTERN",
  "only cases with this id or word: 2.4, ping; can be repeated",
);

export const JSON_FLAG: Flag<string> = path(
  "the report as JSON, in FILE; with - on stdout, alone",
  "FILE",
);

export const TIMEOUT_FLAG: Flag<number> = seconds(5, "for one case (default 5)");

/** A case without a limit might never end. */
export function checkTimeout(ms: number): number {
  if (ms === 0) throw new UsageError("Option --timeout takes more than 0");
  return ms;
}

/** Writes the report where --json says. */
export async function writeJson(file: string, report: string, session: Session): Promise<void> {
  if (file === "-") return await session.print(report);
  try {
    writeFileSync(file, report);
  } catch (error) {
    throw writeError(file, error, { option: "--json FILE" });
  }
}
