// JSR as Deno meets it, on a port of this machine, with our package in it as `deno publish` would
// send it: https://jsr.io/docs/api.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { deno, ROOT } from "./module_graph.ts";

/** What `deno.json` says of the package. */
export function readConfig(): {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
} {
  return JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
}

/** A registry that has one package. */
export interface Jsr extends AsyncDisposable {
  /** What Deno takes in `JSR_URL`. */
  readonly url: string;
  /** The name of the package. */
  readonly name: string;
}

/** The URLs of the files that `deno publish` sends. */
export async function publishedFiles(): Promise<string[]> {
  const flags = ["--dry-run", "--allow-dirty", "--allow-slow-types", "--no-check"];
  const { all } = await deno("publish", ...flags);
  return [...all.matchAll(/^ {3}(file:\S+) \(/gm)].map(([, url]) => url);
}

/** The texts of the files that `deno publish` sends, by their paths in the package. */
async function published(imports: Readonly<Record<string, string>>): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const url of await publishedFiles()) {
    let text = readFileSync(new URL(url), "utf8");
    // As it does, since users have no import map of ours.
    for (const [name, target] of Object.entries(imports)) {
      if (target.startsWith("npm:")) text = text.replaceAll(`"${name}"`, `"${target}"`);
    }
    files.set(`/${url.slice(ROOT.href.length)}`, text);
  }
  return files;
}

/** Found once. */
let texts: Promise<Map<string, string>> | undefined;

/** Starts the registry. */
export async function startJsr(): Promise<Jsr> {
  const { name, version, exports, imports } = readConfig();
  const files = await (texts ??= published(imports));
  const manifest = Object.fromEntries(
    [...files].map(([path, text]) => [path, {
      size: new TextEncoder().encode(text).length,
      checksum: `sha256-${createHash("sha256").update(text).digest("hex")}`,
    }]),
  );
  const [scope, bare] = name.slice(1).split("/");
  const answers = new Map([
    [
      `/${name}/meta.json`,
      JSON.stringify({ scope, name: bare, latest: version, versions: { [version]: {} } }),
    ],
    [`/${name}/${version}_meta.json`, JSON.stringify({ manifest, exports })],
    ...[...files].map(([path, text]) => [`/${name}/${version}${path}`, text] as const),
  ]);
  const server = createServer((request, response) => {
    const answer = answers.get(request.url!);
    const type = request.url!.endsWith(".json") ? "application/json" : "text/typescript";
    response.writeHead(answer === undefined ? 404 : 200, { "Content-Type": type }).end(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    name,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
