// The types of the modules of the pages: JavaScript for browsers, with types in its comments. They are
// checked in a folder of their own, since settings for such files have no effect within a workspace.

import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PAGES } from "./npm_package.ts";
import { must, ROOT } from "./program.ts";

const CONFIG = { compilerOptions: { checkJs: true, lib: ["dom", "dom.iterable", "esnext"] } };

for (const page of PAGES) {
  const folder = mkdtempSync(join(tmpdir(), "plainsocket-page-"));
  try {
    cpSync(join(ROOT, page), folder, { recursive: true });
    writeFileSync(join(folder, "deno.json"), JSON.stringify(CONFIG));
    const modules = readdirSync(folder).filter((name) => name.endsWith(".js"));
    const config = ["--config", join(folder, "deno.json")];
    await must([Deno.execPath(), "check", ...config, ...modules.map((name) => join(folder, name))]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
