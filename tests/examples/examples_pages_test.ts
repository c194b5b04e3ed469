// The pages of docs/tutorial/: what they show is what the tests run.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "../support/runner.deno.ts";

const FOLDER = "docs/tutorial";
const PAGES = readdirSync(FOLDER).filter((name) => /^\d\d_.*\.md$/.test(name)).sort();
const read = (name: string) => readFileSync(join(FOLDER, name), "utf8");

/** Lines without indentation, and without those that are empty. */
const linesOf = (text: string) => text.split("\n").map((line) => line.trim()).filter(Boolean);

/** The files that a text links to, as paths from the root of the project. */
function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => normalize(join(FOLDER, link)));
}

/** Whether a file has these lines, one after the other. */
function has(path: string, lines: readonly string[]): boolean {
  return `\n${linesOf(readFileSync(path, "utf8")).join("\n")}\n`.includes(
    `\n${lines.join("\n")}\n`,
  );
}

test("tutorial: there are thirteen pages, and the index names each of them once", () => {
  assert.equal(PAGES.length, 13);
  const named = linksOf(read("README.md")).filter((path) => dirname(path) === FOLDER);
  assert.deepEqual(named, PAGES.map((name) => join(FOLDER, name)));
});

for (const [i, name] of PAGES.entries()) {
  test(`tutorial: ${name} shows the programs as they are`, () => {
    const blocks = [...read(name).matchAll(/((?:.+\n)+)\n```(?:python|ts)\n([^]*?)```/g)];
    assert.ok(blocks.length >= 2, "It shows a program in each language");
    for (const [, before, block] of blocks) {
      const path = linksOf(before).at(-1);
      assert.ok(path !== undefined && /\.(py|ts)$/.test(path), `What file is this?\n${block}`);
      assert.ok(has(path, linesOf(block)), `${path} does not have:\n${block}`);
    }
  });

  test(`tutorial: ${name} has a picture, an exercise with its solution, and leads on`, () => {
    const text = read(name);
    for (const path of linksOf(text)) assert.ok(existsSync(path), `${name}: no ${path}`);
    const picture = join(FOLDER, "pictures", name.replace(".md", ".svg"));
    assert.ok(linksOf(text).includes(picture));
    assert.match(readFileSync(picture, "utf8"), /^<svg [^]*<\/svg>\n$/);
    const [, exercise, next] = /## Exercise\n([^]*)## Next\n([^]*)$/.exec(text)!;
    assert.ok(linksOf(exercise).some((path) => path.startsWith("examples/tutorial/solutions/")));
    if (i + 1 < PAGES.length) assert.ok(linksOf(next).includes(join(FOLDER, PAGES[i + 1])));
  });
}

test("tutorial: every program of it is on a page", () => {
  const linked = new Set(PAGES.flatMap((name) => linksOf(read(name))));
  const folders = [`${FOLDER}/python`, "examples/tutorial", "examples/tutorial/solutions"];
  for (const folder of folders) {
    for (const name of readdirSync(folder).filter((name) => /\.(py|ts)$/.test(name))) {
      assert.ok(linked.has(`${folder}/${name}`), `${folder}/${name}`);
    }
  }
});
