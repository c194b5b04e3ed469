// The code of the npm package, whoever has compiled it: what the package's entry points and its
// commands reach, and nothing else.

import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import config from "../deno.json" with { type: "json" };
import { publicDeclarations } from "./declarations.ts";
import { COMMANDS, compiledTo, EXPORTS, NAME, PAGES } from "./npm_package.ts";
import { ROOT } from "./program.ts";
import { ts } from "./tools.ts";

/** The modules from which all JavaScript of the package is reached. */
export const MODULES: readonly string[] = Object.values({ ...EXPORTS, ...COMMANDS })
  .map((source) => compiledTo(source, ".js"));

/** The declarations of what the package exports. */
export const DECLARATIONS: readonly string[] = Object.values(EXPORTS)
  .map((source) => compiledTo(source, ".d.ts"));

/** The declarations of what those take for known, which the package brings along. */
const GLOBALS = "globals.d.ts";

/** Copies what belongs into the package from the folder `from`, which a builder has filled, to `to`. */
export function copyCode(from: string, to: string): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    writeFileSync(join(to, path), nameAsOnNpm(text));
  };
  for (const path of reachable(from, MODULES)) {
    write(path, startedByNode(readFileSync(join(from, path), "utf8")));
  }
  for (const [path, text] of publicDeclarations(from, DECLARATIONS)) {
    write(path, DECLARATIONS.includes(path) ? withGlobals(path) + text : text);
  }
  for (const page of PAGES) cpSync(join(ROOT, page), join(to, page), { recursive: true });
  copyFileSync(join(ROOT, "scripts/npm_globals.d.ts"), join(to, GLOBALS));
}

/**
 * The files in the folder `dir` that these ones reach through imports and references, and they too.
 * `twinOf` returns the file that takes the place of an imported one.
 */
export function reachable(
  dir: string,
  entries: readonly string[],
  twinOf: (path: string) => string = (path) => path,
): Set<string> {
  const found = new Set<string>();
  const visit = (path: string) => {
    if (found.has(path)) return;
    found.add(path);
    const info = ts.preProcessFile(readFileSync(join(dir, path), "utf8"), true, true);
    const beside = ({ fileName }: ts.FileReference) => posix.join(posix.dirname(path), fileName);
    for (const imported of info.importedFiles) {
      if (!imported.fileName.startsWith(".")) continue;
      const module = beside(imported);
      visit(twinOf(path.endsWith(".d.ts") ? module.replace(/\.js$/, ".d.ts") : module));
    }
    for (const referenced of info.referencedFiles) visit(beside(referenced));
  };
  for (const entry of entries) visit(entry);
  return found;
}

/** What stands at the top of what users import. */
function withGlobals(path: string): string {
  return `/// <reference path="${posix.relative(posix.dirname(path), GLOBALS)}" />\n`;
}

/** A program that Deno starts becomes one that Node starts. */
function startedByNode(text: string): string {
  return text.replace(/^#!.*/, "#!/usr/bin/env node");
}

/** The examples in the doc comments import the package by its name on JSR. */
function nameAsOnNpm(text: string): string {
  return text.replaceAll(`from "${config.name}`, `from "${NAME}`);
}
