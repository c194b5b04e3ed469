// The entry points of the package: what each exports, and what importing it loads.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { runProgram } from "../support/peers.ts";
import { modulesOf, ROOT } from "./module_graph.ts";
import { runtime, test } from "../support/runner.deno.ts";

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

/** What importing a module may load: how many modules of ours at most, and which packages. */
interface Load {
  readonly modules: number;
  readonly packages: readonly string[];
}

/** By entry point. */
const LOADS: Readonly<Record<string, Load>> = {
  ".": { modules: 51, packages: [] },
  "./http": { modules: 99, packages: [] },
  "./files": { modules: 80, packages: ["mime", "@fastify/busboy"] },
  "./websocket": { modules: 100, packages: [] },
  "./frames": { modules: 23, packages: [] },
  "./streams": { modules: 6, packages: [] },
  "./metrics": { modules: 12, packages: [] },
  "./workers": { modules: 45, packages: [] },
  "./proxy-protocol": { modules: 34, packages: [] },
  "./protocols": { modules: 19, packages: [] },
  "./chat": { modules: 35, packages: [] },
  "./recording": { modules: 69, packages: [] },
  "./faults": { modules: 29, packages: [] },
  "./replay": { modules: 33, packages: [] },
  "./simulate": { modules: 62, packages: [] },
  "./testing": { modules: 39, packages: [] },
  "./server": { modules: 36, packages: [] },
  "./client": { modules: 36, packages: [] },
};

/**
 * By module of a command, in lib/cli/commands/: that of its command line and help, and `run*.ts` with its
 * work. Everything else is loaded for a flag.
 */
const COMMAND_LOADS: Readonly<Record<string, Load>> = {
  "echo/server.ts": { modules: 35, packages: [] },
  "echo/run_server.ts": { modules: 74, packages: [] },
  "echo/client.ts": { modules: 26, packages: [] },
  "echo/run_client.ts": { modules: 62, packages: [] },
  "web/web.ts": { modules: 39, packages: [] },
  "web/run.ts": { modules: 180, packages: ["mime"] },
  "relay/relay.ts": { modules: 47, packages: [] },
  "relay/run.ts": { modules: 106, packages: [] },
  "chat/chat.ts": { modules: 114, packages: [] },
  "get/get.ts": { modules: 35, packages: [] },
  "get/run.ts": { modules: 106, packages: [] },
  "connect/connect.ts": { modules: 49, packages: [] },
  "connect/run.ts": { modules: 79, packages: [] },
};

/** What the modules of both lists import, found once. */
let imports: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

async function readImports(): Promise<ReadonlyMap<string, readonly string[]>> {
  const commands = Object.keys(COMMAND_LOADS).map((path) => `lib/cli/commands/${path}`);
  const modules = await modulesOf([...Object.values(exports), ...commands]);
  return new Map(modules.map(({ specifier, dependencies = [] }) => [
    specifier,
    dependencies.filter(({ isDynamic }) => !isDynamic)
      .flatMap(({ code }) => code === undefined ? [] : [code.specifier]),
  ]));
}

/** What importing a module loads, itself included: neither types nor what `import()` names. */
async function loadedBy(source: string): Promise<string[]> {
  const importsOf = await (imports ??= readImports());
  const loaded = new Set([new URL(source, ROOT).href]);
  for (const specifier of loaded) {
    for (const next of importsOf.get(specifier) ?? []) loaded.add(next);
  }
  return [...loaded];
}

if (runtime === "Deno") {
  const loads = [
    ...Object.entries(exports).map(([entry, source]) => [entry, source, LOADS[entry]] as const),
    ...Object.entries(COMMAND_LOADS).map(([path, load]) =>
      [path, `lib/cli/commands/${path}`, load] as const
    ),
  ];
  for (const [name, source, { modules, packages }] of loads) {
    test(`entry points: ${name} loads at most ${modules} modules, and no package but ${packages.join() || "none"}`, async () => {
      const loaded = await loadedBy(source);
      const own = loaded.filter((specifier) => specifier.startsWith("file:"));
      assert.ok(own.length <= modules, `${own.length} modules`);
      const npm = loaded.filter((specifier) => specifier.startsWith("npm:"));
      assert.deepEqual(npm.map((specifier) => specifier.replace(/^npm:|@[^@/]*$/g, "")), packages);
    });
  }
}

if (runtime === "Deno") {
  test("entry points: none loads anything of the live page, unless it is asked for", async () => {
    for (const source of Object.values(exports)) {
      const loaded = await loadedBy(source);
      assert.deepEqual(
        loaded.filter((specifier) => specifier.includes("/lib/cli/watch/")),
        [],
        source,
      );
    }
  });
}

if (runtime === "Deno") {
  test("entry points: what takes Deno long to load is loaded with what needs it, and by no other", async () => {
    const slow = ["child_process", "crypto", "fs", "fs/promises", "net", "tls", "tty", "zlib"];
    const sources = [
      ...Object.values(exports),
      ...Object.keys(COMMAND_LOADS).map((path) => `lib/cli/commands/${path}`),
    ];
    const loading: string[] = [];
    for (const source of sources) {
      const loaded = await loadedBy(source);
      if (slow.some((name) => loaded.includes(`node:${name}`))) loading.push(source);
    }
    assert.deepEqual(loading, [
      "./lib/files/mod.ts",
      "./lib/http/ws/mod.ts",
      "./lib/workers/mod.ts",
      "./lib/recording/mod.ts",
      "./lib/simulate/mod.ts",
      "lib/cli/commands/web/run.ts",
      "lib/cli/commands/get/run.ts",
    ]);
  });
}

if (runtime.startsWith("Node")) {
  const sources = [
    ...Object.values(exports),
    ...Object.keys(COMMAND_LOADS).map((path) => `lib/cli/commands/${path}`),
  ];
  /** What is loaded when it is used, the name by which Node lists it, and a script that uses it. */
  const LATE = [
    ["fetch", "/undici", 'new Response("")'],
    ["TLS", " tls", 'await import("node:tls")'],
  ];
  for (const [what, name, use] of LATE) {
    test(`entry points: none loads ${what}, nor does a command, before it is used`, async () => {
      const urls = sources.map((source) =>
        new URL(`../../${source.replace(/ts$/, "js")}`, import.meta.url).href
      );
      const script = `
        await Promise.all(${JSON.stringify(urls)}.map((url) => import(url)));
        const loaded = () => process.moduleLoadList.some((name) => name.endsWith("${name}"));
        const before = loaded();
        ${use};
        console.log(before, loaded());
      `;
      const command = [process.execPath, "--input-type=module", "-e", script];
      const { code, stdout, stderr } = await runProgram(command);
      assert.equal(code, 0, stderr);
      // The second says that the list would show it.
      assert.equal(stdout.toString(), "false true\n");
    });
  }
}
