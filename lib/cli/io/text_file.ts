/**
 * The text files that the command line names.
 *
 * @module
 */

import { readFileSync } from "node:fs";

/** Reads a text without the mark that some editors put before it. Throws for one in UTF-16. */
export function readTextFile(path: string): string {
  const data = readFileSync(path);
  // The mark of UTF-16, which no text in UTF-8 begins with. PowerShell's > writes it.
  if (["fffe", "feff"].includes(data.toString("hex", 0, 2))) {
    throw new Error("it is text in UTF-16: save it as ASCII or UTF-8");
  }
  return data.toString("utf8").replace(/^\ufeff/, "");
}
