// What the first run of our scripts fetches, on a machine that has only Deno.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OWN_HOST } from "../support/helpers.ts";
import { runProgram } from "../support/peers.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { programCommand, runClient, startServerProcess } from "../support/scripts.ts";

/** Has a cache of Deno that is empty, and is removed at the end. */
async function withCache(fn: (cache: string) => Promise<void>): Promise<void> {
  const cache = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    await fn(cache);
  } finally {
    rmSync(cache, { recursive: true });
  }
}

/** Runs a script; returns the npm packages in the cache then. */
async function fetchedBy(cache: string, script: string, ...args: string[]): Promise<string[]> {
  const env = { DENO_DIR: cache };
  const { code, stderr } = await runProgram([...programCommand(script), ...args], { env });
  assert.equal(code, 0, stderr);
  return packagesIn(cache);
}

function packagesIn(cache: string): string[] {
  const npm = join(cache, "npm");
  if (!existsSync(npm)) return [];
  // As in REGISTRY/@fastify/busboy/3.2.6/package.json.
  return readdirSync(npm, { recursive: true, encoding: "utf8" }).flatMap((path) =>
    /^[^/]+\/((?:@[^/]+\/)?[^/@]+)\/\d[^/]*\/package\.json$/.exec(path)?.[1] ?? []
  ).sort();
}

if (runtime === "Deno") {
  test("first run: server.ts fetches what it depends on, and client.ts nothing; web fetches no more when it answers, nothing of OpenTelemetry either", async () => {
    const { imports } = JSON.parse(
      readFileSync(new URL("../../deno.json", import.meta.url), "utf8"),
    );
    const direct = Object.keys(imports)
      .filter((name) => imports[name].startsWith("npm:") && !name.startsWith("@nats-io/"));
    // asn1js has one dependency.
    const needed = [...direct, "@peculiar/utils"].sort();
    assert.ok(!needed.some((name) => name.startsWith("@opentelemetry/")));
    await withCache(async (cache) => {
      assert.deepEqual(await fetchedBy(cache, "client", "--version"), []);
      assert.deepEqual(await fetchedBy(cache, "client", "get", "--version"), []);
      assert.deepEqual(await fetchedBy(cache, "server", "--version"), needed);
      const args = ["web", "--host", OWN_HOST, "--port", "0", "tests"];
      const env = { DENO_DIR: cache, OTEL_DENO: undefined };
      await using server = await startServerProcess(args, { env });
      assert.equal((await runClient(["get", "-q", server.url])).code, 0);
      assert.equal((await server.program.stop()).code, 0);
      assert.deepEqual(packagesIn(cache), needed);
    });
    // What only a bus needs is fetched with the bus, in the same version.
    const text = readFileSync("lib/protocols/chat/nats/packages.deno.ts", "utf8");
    for (const name of ["@nats-io/nats-core", "@nats-io/jetstream"]) {
      assert.ok(text.includes(`"${imports[name]}`), name);
    }
  });
}
