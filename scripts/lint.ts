// `deno lint`, and the rules of this project that it does not know.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { circles, forbiddenImports, importsOf } from "./import_rules.ts";
import { must, ROOT } from "./program.ts";
import { takenBy, wrongFaces } from "./public_faces.ts";
import { Report } from "./report.ts";
import { type Token, tokens } from "./tokens.ts";

const MAX_LINES = 400;

/** The files of the project, new ones too. */
async function projectFiles(): Promise<string[]> {
  const list = await must(["git", "ls-files", "--cached", "--others", "--exclude-standard"]);
  return list.split("\n").filter((path) => path !== "" && existsSync(join(ROOT, path)));
}

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

const files = await projectFiles();
const sources = files.filter((path) => path.endsWith(".ts"));
const library = sources.filter((path) => path.startsWith("lib/"));
/** The library and the scripts at the top: what users run. */
const product = sources.filter((path) => path.startsWith("lib/") || !path.includes("/"));

/** Fails for each name or string that is wrong. Files without `word` are not parsed. */
function forbid(
  paths: readonly string[],
  kind: "names" | "strings",
  word: string,
  isWrong = (text: string) => text === word,
): void {
  const found = paths.filter((path) => read(path).includes(word)).flatMap((path) =>
    tokens(read(path))[kind].filter(({ text }) => isWrong(text))
      .map(({ text, line }: Token) => `${path}:${line}: ${text}`)
  );
  if (found.length > 0) throw new Error(found.join("\n"));
}

const except = (paths: readonly string[], ...these: string[]) =>
  paths.filter((path) => !these.includes(path));

const report = new Report();

await report.check("deno lint", () => must([Deno.execPath(), "lint"]));

await report.check("only the modules that are for Deno use Deno's globals", () => {
  const others = product.filter((path) => !path.endsWith(".deno.ts"));
  forbid(others, "names", "Deno");
});

await report.check("only the modules that are for Node import node:net", () => {
  const others = except(
    product,
    "lib/net/system.node.ts",
    "lib/net/tls/system.node.ts",
    "lib/net/io_functions.deno.ts",
    "lib/net/io_functions.node.ts",
    "lib/workers/process.node.ts",
  );
  forbid(others, "strings", "node:net");
});

await report.check("only the folder of TLS imports node:tls, and what loads it", () => {
  const others = except(product, "lib/base/builtins.deno.ts", "lib/base/builtins.node.ts")
    .filter((path) => !path.startsWith("lib/net/tls/"));
  forbid(others, "strings", "node:tls");
});

const imports = product.flatMap((path) => importsOf(path, read(path)));

await report.check(
  "each folder of the library, and of the programs, imports only those below it",
  () => {
    const found = forbiddenImports(imports);
    if (found.length > 0) throw new Error(found.join("\n"));
  },
);

await report.check(
  "the programs take what is public, and what scripts/public_faces.ts lists",
  () => {
    const faces = library.filter((path) => path.endsWith("/mod.ts")).concat("mod.ts");
    const found = wrongFaces(
      library.flatMap((path) => takenBy(path, read(path))),
      Object.fromEntries(faces.map((path) => [path, read(path)])),
    );
    if (found.length > 0) throw new Error(found.join("\n"));
  },
);

await report.check("no files of the library import each other in a circle", () => {
  const found = circles(imports);
  if (found.length > 0) throw new Error(found.join("\n"));
});

await report.check("the library does not write to the console", () => {
  forbid(library, "names", "console");
});

await report.check("no test changes what a process has once, since others run beside it", () => {
  const change = /\bprocess\.(chdir|umask|(env|exitCode)\b[^=;\n]* = )|\bdelete process\.env\b/;
  const changing = files.filter((path) => path.endsWith("_test.ts") && change.test(read(path)));
  if (changing.length > 0) throw new Error(changing.join("\n"));
});

await report.check("only the build imports from JSR", () => {
  const others = sources.filter((path) => !path.startsWith("scripts/"));
  forbid(others, "strings", "jsr:", (text) => text.startsWith("jsr:"));
  if (read("deno.json").includes('"jsr:')) throw new Error("deno.json");
});

await report.check(`no file of the library has more than ${MAX_LINES} lines`, () => {
  const long = library.filter((path) => read(path).trimEnd().split("\n").length > MAX_LINES);
  if (long.length > 0) throw new Error(long.join("\n"));
});

await report.check("the version of Deno is the one in .dvmrc wherever it stands", () => {
  const pinned = read(".dvmrc").trim();
  const texts = files.filter((path) => /\.(md|ts|json|yml)$|^\.ci\//.test(path));
  const spelled = texts.flatMap((path) =>
    [...read(path).matchAll(/deno@(\d[\w.-]*\w)/g)].map(([, version]) => ({ path, version }))
  );
  const wrong = spelled.filter(({ version }) => version !== pinned);
  if (wrong.length > 0) {
    throw new Error(wrong.map(({ path, version }) => `${path}: ${version}`).join("\n"));
  }
  if (!spelled.some(({ path }) => path === "README.md")) {
    throw new Error("README.md does not say how to run a pinned Deno");
  }
});

await report.check("each file that docs/architecture.md names exists", () => {
  const named = read("docs/architecture.md").matchAll(/`((?:lib|docs|scripts)\/[\w./*]+)/g);
  const isThere = (path: string) => {
    const [start, end = ""] = path.replace("NAME/", "*").split("*");
    return files.some((file) => file.startsWith(start) && (end === "" || file.endsWith(end)));
  };
  const missing = Array.from(named, ([, path]) => path).filter((path) => !isThere(path));
  if (missing.length > 0) throw new Error(missing.join("\n"));
});

const tests = files.filter((path) => /^(tests|scripts)\/.*\.ts$/.test(path)).map(read).join("\n");

/** Whether a test's name begins so. */
const isTest = (name: string) => /["`]/.test(tests[tests.indexOf(name) - 1] ?? "");

await report.check("every feature in docs/features.md names a test that exists", () => {
  const rows = read("docs/features.md").split("\n").filter((line) =>
    /^\| (?!---|feature)/.test(line)
  );
  const missing = rows.filter((row) => {
    const [, ours] = row.split("|").slice(1).map((cell) => cell.trim());
    const name = /`([^`]+)`\s*\|$/.exec(row)?.[1];
    return ours !== "no" && (name === undefined || !isTest(name));
  });
  if (missing.length > 0) throw new Error(missing.join("\n"));
});

/** The rows of a table that name no test, or one that does not exist. */
function untested(path: string, head: string): string[] {
  return rowsOf(path, head).filter((row) => {
    const names = row.split("|")[2].match(/(?<=`)[^`]+(?=`)/g)?.filter((name) => name !== ", ");
    return names === undefined || !names.every(isTest);
  });
}

/** The rows of a table whose head begins with this cell. */
function rowsOf(path: string, head: string): string[] {
  const [, table] = read(path).split(new RegExp(`^\\| ${head} .*\n`, "m"));
  if (table === undefined) throw new Error(`${path} has no table that begins with '${head}'`);
  return table.split("\n\n", 1)[0].trim().split("\n").slice(1);
}

await report.check("every promise in docs/chat.md names tests that exist", () => {
  const missing = untested("docs/chat.md", "promise");
  if (missing.length > 0) throw new Error(missing.join("\n"));
});

await report.check("every section of docs/operate.md names tests that exist", () => {
  const path = "docs/operate.md";
  const named = rowsOf(path, "section").flatMap((row) => /\[(.*?)\]/.exec(row)?.[1] ?? []);
  const text = read(path).replace(/^```[^]*?^```/gm, "");
  // Those that only have subsections are not counted: the subsections are.
  const sections = [...text.matchAll(/^##+ (.*)\n\n(?!###)/gm)].map(([, title]) => title);
  const missing = [
    ...sections.filter((title) => title !== "Tests" && !named.includes(title)),
    ...named.filter((title) => !sections.includes(title)),
    ...untested(path, "section"),
  ];
  if (missing.length > 0) throw new Error(missing.join("\n"));
});

await report.check("each test in docs/websocket_rfc.md exists", () => {
  const tests = files.filter((path) => path.startsWith("tests/")).map(read).join("\n");
  const rows = read("docs/websocket_rfc.md").split("\n").filter((line) => /^\| \d/.test(line));
  const missing = rows.flatMap((row) => {
    const names = [...row.split("|")[3].matchAll(/`([^`]+)`/g)].map(([, name]) => name);
    return names.filter((name) => !tests.includes(name)).map((name) => `${name}: ${row}`);
  });
  if (missing.length > 0) throw new Error(missing.join("\n"));
});

report.end();
