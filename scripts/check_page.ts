// The types of the modules of the pages: JavaScript for browsers, with types in its comments. They are
// checked in a folder of their own, since settings for such files have no effect within a workspace.

import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PAGES } from "./npm_package.ts";
import { must, ROOT } from "./program.ts";

const CONFIG = { compilerOptions: { checkJs: true, lib: ["dom", "dom.iterable", "esnext"] } };

const folder = mkdtempSync(join(tmpdir(), "plainsocket-page-"));
try {
  const config = join(folder, "deno.json");
  writeFileSync(config, JSON.stringify(CONFIG));
  for (const page of PAGES) cpSync(join(ROOT, page), join(folder, page), { recursive: true });
  const modules = PAGES.flatMap((page) =>
    readdirSync(join(folder, page)).filter((name) => name.endsWith(".js"))
      .map((name) => join(folder, page, name))
  );
  await must([Deno.execPath(), "check", "--config", config, ...modules]);
} finally {
  rmSync(folder, { recursive: true });
}
