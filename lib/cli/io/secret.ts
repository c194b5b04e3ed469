/**
 * Secrets, read from files or the environment: options are visible in the list of processes.
 *
 * @module
 */

import { checkReadableAgain, readTextFile } from "./files.ts";
import { ofOption, UsageError } from "./flags.ts";

/** Whether a value names a file that has it. */
export function isInFile(value: string): boolean {
  return value.startsWith("@");
}

/**
 * A value of an option: the value itself, or of `@FILE` the one line in FILE. Throws a
 * {@linkcode UsageError}, whose message does not show what is in the file.
 */
export function secretOf(value: string): string {
  if (!isInFile(value)) return value;
  const [line = "", ...more] = linesOf(value);
  if (more.length === 0) return line;
  throw new UsageError(`wants one line in '${value.slice(1)}', which has more`);
}

/** Throws a {@linkcode UsageError} if a file in the values of an option is a pipe, which is read once only. */
export function checkFilesReadableAgain(option: string, values: readonly string[]): void {
  for (const value of values.filter(isInFile)) {
    ofOption(option, () => checkReadableAgain(value.slice(1)));
  }
}

/** The lines in FILE of `@FILE`, but for empty ones. Throws a {@linkcode UsageError}. */
export function linesOf(value: string): string[] {
  return readTextFile(value.slice(1)).split(/\r?\n/).filter((line) => line !== "");
}
