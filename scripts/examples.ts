// The examples in the comments of sources and in pages, as modules that register a test.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./program.ts";

/** An example in a comment or a page. */
export interface Example {
  /** The file, and the line of the first line of the example. */
  readonly name: string;
  /** A module that registers a test by that name, which runs the example. */
  readonly module: string;
}

/** A block of code in a comment or a page. One with `ignore` after its language does not match. */
const BLOCK = /^([ \t]*(?:\* )?)```(?:ts|js)\n([^]*?)^\1```$/gm;

/** An import, which has to stand outside of a function. */
const IMPORT = /^import [^]*?;\n/gm;

/** What makes a statement an export, which has to stand there, too. */
const EXPORT = /^export (?:default )?/gm;

/** Finds the examples in the text of a file. */
export function examplesOf(path: string, text: string): Example[] {
  return [...text.matchAll(BLOCK)].map((match) => {
    const [, margin, lines] = match;
    const line = text.slice(0, match.index).split("\n").length + 1;
    const name = `${path}:${line}`;
    const code = lines.split("\n").map((line) => line.slice(margin.length)).join("\n");
    const imports = (code.match(IMPORT) ?? []).map((text) =>
      text.replace(/"(\..*)"/, (_, to) => `"${pathToFileURL(join(ROOT, path, "..", to))}"`)
    );
    const body = code.replace(IMPORT, "").replace(EXPORT, "");
    const test = `Deno.test(${JSON.stringify(name)}, async () => {\n${body}});\n`;
    return { name, module: [...imports, test].join("") };
  });
}
