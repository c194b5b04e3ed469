import assert from "node:assert/strict";
import { examplesOf } from "./examples.ts";
import { ROOT } from "./program.ts";

const FENCE = "```";

Deno.test("examples: one in a comment becomes a test, which is named by where it stands", () => {
  const text = `/**
 * Adds.
 *
 * ${FENCE}ts
 * import { add } from "./add.ts";
 * import assert from "node:assert/strict";
 *
 * if (true) {
 *   assert.equal(add(1, 2), 3);
 * }
 * export default add;
 * ${FENCE}
 */
`;
  assert.deepEqual(examplesOf("lib/sum/mod.ts", text), [{
    name: "lib/sum/mod.ts:5",
    module: `import { add } from "file://${ROOT}/lib/sum/add.ts";
import assert from "node:assert/strict";
Deno.test("lib/sum/mod.ts:5", async () => {

if (true) {
  assert.equal(add(1, 2), 3);
}
add;
});
`,
  }]);
});

Deno.test("examples: those of a page are found, but not those in other languages, or to be ignored", () => {
  const block = (language: string) => `Text.\n\n${FENCE}${language}\ncode();\n${FENCE}\n\n`;
  const page = ["ts", "sh", "ts ignore", "js"].map(block).join("");
  assert.deepEqual(examplesOf("README.md", page).map(({ name }) => name), [
    "README.md:4",
    "README.md:22",
  ]);
});
