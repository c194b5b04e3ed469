// Runs the examples in comments and pages, each as a test of Deno. `deno test --doc` runs them, too, but
// loads the library anew for each; here they share a process.
//
//   deno run -A scripts/doc_examples.ts PATH...

import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { examplesOf } from "./examples.ts";
import { ROOT, run } from "./program.ts";

/** The files among these paths, which may be folders of sources. */
function filesOf(path: string): string[] {
  if (!statSync(join(ROOT, path)).isDirectory()) return [path];
  return globSync(`${path}/**/*.ts`, { cwd: ROOT }).sort();
}

const examples = process.argv.slice(2).flatMap(filesOf)
  .flatMap((path) => examplesOf(path, readFileSync(join(ROOT, path), "utf8")));
const folder = mkdtempSync(join(tmpdir(), "plainsocket-"));
let code: number;
try {
  const modules = examples.map(({ module }, i) => {
    const path = join(folder, `example_${i}.ts`);
    writeFileSync(path, module);
    return path;
  });
  const all = join(folder, "all_test.ts");
  writeFileSync(all, modules.map((path) => `import "${pathToFileURL(path)}";\n`).join(""));
  const config = join(ROOT, "deno.json");
  ({ code } = await run(
    [Deno.execPath(), "test", "-A", "--no-check", "--config", config, all],
    { onOutput: (text) => void process.stdout.write(text) },
  ));
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(code);
