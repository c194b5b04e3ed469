import assert from "node:assert/strict";
import { test } from "../tests/support/runner.deno.ts";
import { takenBy, wrongFaces } from "./public_faces.ts";

const FACES = {
  "mod.ts":
    'export { dial } from "./lib/dial.ts";\nexport type { Conn } from "./lib/net/transport.ts";',
  "lib/frames/mod.ts": 'export {\n  lines,\n} from "./delimiter.ts";',
};

const wrong = (text: string, list = {}) =>
  wrongFaces(takenBy("lib/cli/io/a.ts", text), FACES, list);

test("public faces: a program takes a public name from wherever it is", () => {
  const text = 'import { dial } from "../../dial.ts";\n' +
    'import type { Conn } from "../../net/transport.ts";\n' +
    'import {\n  lines as all,\n} from "../../frames/delimiter.ts";\n' +
    'import { Framing } from "../../frames/mod.ts";';
  assert.deepEqual(wrong(text), []);
});

test("public faces: what is not public is named, each name for itself", () => {
  assert.deepEqual(wrong('import { dial, type Race } from "../../dial.ts";'), [
    "lib/cli/io/a.ts: takes what is not public, lib/dial.ts: Race",
  ]);
  assert.deepEqual(wrong('export { Race } from "../../dial.ts";').length, 1);
  assert.deepEqual(wrong('import * as all from "../../dial.ts";').length, 1);
});

test("public faces: import() takes a module that has something public", () => {
  assert.deepEqual(wrong('const { dial } = await import("../../dial.ts");'), []);
  assert.deepEqual(wrong('await import("../../net/pipe.ts");'), [
    "lib/cli/io/a.ts: takes what is not public, lib/net/pipe.ts: import()",
  ]);
});

test("public faces: what is not public may be listed, as long as somebody takes it", () => {
  const list = { "lib/dial.ts": { names: ["Race"], reason: "of a test" } };
  assert.deepEqual(wrong('import { Race } from "../../dial.ts";', list), []);
  assert.deepEqual(wrong("", list), ["no program takes lib/dial.ts: Race"]);
});

test("public faces: values and what belongs to the programs are not asked for", () => {
  const text =
    'import { counted } from "../../base/counted.ts";\nimport { text } from "../io/flags.ts";';
  assert.deepEqual(wrong(text), []);
  const library = takenBy("lib/http/a.ts", 'import { Race } from "../dial.ts";');
  assert.deepEqual(wrongFaces(library, FACES, {}), []);
});
