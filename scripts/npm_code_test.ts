import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "../tests/support/runner.deno.ts";
import { publicDeclarations } from "./declarations.ts";
import { copyCode, MODULES, reachable } from "./npm_code.ts";

/** Calls `fn` with a folder that holds these files. */
function withFiles(files: Readonly<Record<string, string>>, fn: (dir: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    fn(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test("npm package: a file is reached by every form of import, and by nothing else", () => {
  const files = {
    "mod.js": `// import "./comment.js";
export { a } from "./a.js";
import "./effect.js";
const text = 'import("./string.js")';
export const later = async () => (await import("./lib/later.js")).x;`,
    "a.js": `import fs from "node:fs"; import b from "package"; export * from "./lib/b.js";`,
    "effect.js": "",
    "lib/b.js": `import { a } from "../a.js"; export const b = a;`,
    "lib/later.js": "export const x = 1;",
    "comment.js": "",
    "string.js": "",
    "dead.js": `import { a } from "./a.js";`,
  };
  withFiles(files, (dir) => {
    const reached = ["a.js", "effect.js", "lib/b.js", "lib/later.js", "mod.js"];
    assert.deepEqual([...reachable(dir, ["mod.js"])].sort(), reached);
  });
});

test("npm package: declarations are reached by imports, types of imports and references", () => {
  const files = {
    "mod.d.ts": `/// <reference path="globals.d.ts" />
export type { A } from "./a.js";
export declare const b: import("./b.js").B;`,
    "a.d.ts": "export interface A {}",
    "a.js": "",
    "b.d.ts": "export interface B {}",
    "globals.d.ts": "interface URL {}",
    "dead.d.ts": "",
  };
  withFiles(files, (dir) => {
    const reached = ["a.d.ts", "b.d.ts", "globals.d.ts", "mod.d.ts"];
    assert.deepEqual([...reachable(dir, ["mod.d.ts"])].sort(), reached);
  });
});

test("npm package: an import of what is missing is an error, and not a smaller package", () => {
  withFiles({ "mod.js": `import "./gone.js";` }, (dir) => {
    assert.throws(() => reachable(dir, ["mod.js"]), /ENOENT.*gone\.js/);
  });
});

test("npm package: only what the exports come to is declared, and imports name JavaScript", () => {
  const files = {
    "mod.d.ts": `/** The module. */
export { make } from "./make.ts";
export type { Options } from "./options.ts";
`,
    "make.d.ts": `import { Buffer } from "node:buffer";
import { type Options, DEFAULTS } from "./options.ts";
import type { Inner } from "./inner.ts";
/** Makes. */
export declare function make(options: Options): void;
export declare function make(): void;
/** What make() is made of. */
export declare class Maker { readonly bytes: Buffer; readonly inner: Inner; }
`,
    "options.d.ts": `interface Base { readonly size: number; }
export interface Options extends Base {}
export declare const DEFAULTS: Options;
`,
    "inner.d.ts": "export interface Inner {}",
  };
  withFiles(files, (dir) => {
    assert.deepEqual(Object.fromEntries(publicDeclarations(dir, ["mod.d.ts"])), {
      "mod.d.ts": `/** The module. */
export { make } from "./make.js";
export type { Options } from "./options.js";
`,
      "make.d.ts": `import { type Options } from "./options.js";
/** Makes. */
export declare function make(options: Options): void;
export declare function make(): void;
`,
      "options.d.ts": `interface Base { readonly size: number; }
export interface Options extends Base {}
`,
    });
  });
});

test("npm package: what is declared follows all forms of import and export", () => {
  const files = {
    "mod.d.ts": `export * from "./all.js";
export * as space from "./space.js";
export { default as renamed } from "./default.js";
export declare const inline: import("./inline.js").Inline;
`,
    "all.d.ts": `import * as names from "./names.js";
export declare const all: names.Name;
`,
    "space.d.ts": "export declare const inSpace: 1;\n",
    "default.d.ts": `import Other from "./other.js";
declare const value: Other;
export default value;
export declare const unused: 1;
`,
    "inline.d.ts": "export interface Inline {}\n",
    "names.d.ts": "export interface Name {}\n",
    "other.d.ts": "export default class Other {}\n",
    "dead.d.ts": "export {};\n",
  };
  withFiles(files, (dir) => {
    const expected: Record<string, string> = { ...files };
    delete expected["dead.d.ts"];
    expected["default.d.ts"] = files["default.d.ts"].replace(/export declare.*\n/, "");
    assert.deepEqual(Object.fromEntries(publicDeclarations(dir, ["mod.d.ts"])), expected);
  });
});

test("npm package: what Deno starts is started by Node, whoever has compiled it", () => {
  const program = "#!/usr/bin/env -S deno run -A\nexport {};\n";
  const files = Object.fromEntries(MODULES.map((path) => [path, program]));
  withFiles({
    ...files,
    "mod.js": `import "./server.js";`,
    "server.js": program,
    "mod.d.ts": "export {};",
  }, (dir) => {
    const to = join(dir, "package");
    copyCode(dir, to);
    for (const path of ["server.js", ...MODULES.filter((path) => path !== "mod.js")]) {
      const [first] = readFileSync(join(to, path), "utf8").split("\n");
      assert.equal(first, "#!/usr/bin/env node", path);
    }
  });
});

test("npm package: nobody starts the declarations of a program", () => {
  const text = "export declare const a: 1;\n";
  withFiles({ "mod.d.ts": `#!/usr/bin/env -S deno run -A\n${text}` }, (dir) => {
    assert.equal(publicDeclarations(dir, ["mod.d.ts"]).get("mod.d.ts"), text);
  });
});

test("npm package: examples import it by its name there", () => {
  const files = Object.fromEntries(MODULES.map((path) => [path, ""]));
  const example = (name: string) =>
    `/** import { a } from "${name}"; */\nexport declare const a: 1;\n`;
  withFiles({ ...files, "mod.d.ts": example("@plainsocket/plainsocket") }, (dir) => {
    const to = join(dir, "package");
    copyCode(dir, to);
    const text = readFileSync(join(to, "mod.d.ts"), "utf8");
    assert.equal(text, `/// <reference path="globals.d.ts" />\n${example("plainsocket")}`);
  });
});
