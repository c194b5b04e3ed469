// What the first run of our scripts fetches, on a machine that has only Deno.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../support/peers.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { programCommand } from "../support/scripts.ts";

/** Runs a script on an empty cache; returns the npm packages in it then. */
async function fetchedBy(script: string, ...args: string[]): Promise<string[]> {
  const cache = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    const env = { DENO_DIR: cache };
    const { code, stderr } = await runProgram([...programCommand(script), ...args], { env });
    assert.equal(code, 0, stderr);
    const npm = join(cache, "npm");
    if (!existsSync(npm)) return [];
    // As in REGISTRY/@fastify/busboy/3.2.6/package.json.
    return readdirSync(npm, { recursive: true, encoding: "utf8" }).flatMap((path) =>
      /^[^/]+\/((?:@[^/]+\/)?[^/@]+)\/\d[^/]*\/package\.json$/.exec(path)?.[1] ?? []
    ).sort();
  } finally {
    rmSync(cache, { recursive: true });
  }
}

if (runtime === "Deno") {
  test("first run: server.ts fetches what it depends on, and client.ts nothing", async () => {
    const { imports } = JSON.parse(
      readFileSync(new URL("../../deno.json", import.meta.url), "utf8"),
    );
    const direct = Object.keys(imports)
      .filter((name) => imports[name].startsWith("npm:") && !name.startsWith("@nats-io/"));
    // asn1js has one dependency.
    assert.deepEqual(await fetchedBy("server", "--version"), [...direct, "@peculiar/utils"].sort());
    assert.deepEqual(await fetchedBy("client", "--version"), []);
    assert.deepEqual(await fetchedBy("client", "get", "--version"), []);
    // What only a bus needs is fetched with the bus, in the same version.
    const text = readFileSync("lib/protocols/chat/nats/packages.deno.ts", "utf8");
    for (const name of ["@nats-io/nats-core", "@nats-io/jetstream"]) {
      assert.ok(text.includes(`"${imports[name]}`), name);
    }
  });
}
