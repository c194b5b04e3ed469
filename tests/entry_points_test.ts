// The entry points of the package: what each exports.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "./runner.deno.ts";

const { exports } = JSON.parse(readFileSync("deno.json", "utf8")) as {
  readonly exports: Readonly<Record<string, string>>;
};

/** Those that are made of names; the others are programs. */
const LIBRARY = Object.entries(exports).filter(([, source]) => source.endsWith("mod.ts"));

/** What a module that has nothing but exports exports, types included. */
function exportedBy(source: string): string[] {
  const lists = readFileSync(source, "utf8").matchAll(/^export (?:type )?\{([^}]*)\} from/gm);
  return [...lists].flatMap(([, list]) => list.match(/\w+/g)!);
}

/** The names that docs/api.md has of an entry point: those of its table, and its types. */
function documentedOf(entry: string): string[] {
  const name = entry.replace(".", "plainsocket");
  const [, text] = readFileSync("docs/api.md", "utf8").split(`\n## \`${name}\`\n`);
  const [section] = text.split("\n## ");
  const [table, types] = section.split("\nTypes: ");
  const rows = table.matchAll(/^\| `(\w+)/gm);
  return [...Array.from(rows, ([, name]) => name), ...types.match(/\w+/g)!];
}

for (const [entry, source] of LIBRARY) {
  test(`entry points: docs/api.md has each name of ${entry}, and no other`, () => {
    assert.deepEqual(documentedOf(entry).sort(), exportedBy(source).sort());
  });
}
