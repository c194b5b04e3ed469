// The Hono app in examples/.

import assert from "node:assert/strict";
import { bytes } from "../support/helpers.ts";
import { Program } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";

test("examples: the Hono app answers by its routes, and files behind them and below a path", async () => {
  const large = "0123456789".repeat(100_000);
  await using site = await makeSite({ "index.html": "<h1>Hello</h1>", "large.txt": large });
  const command = programCommand("examples/hono_site");
  await using program = new Program([...command, site.root, "127.0.0.1", "0"]);
  const [, port] = await program.stdout.until(/:(\d+)\/\n/);
  const url = `http://127.0.0.1:${port}`;

  const api = await fetch(`${url}/api/hello/world`);
  assert.deepEqual(await api.json(), { hello: "world" });
  for (const path of ["", "/files"]) {
    const page = await fetch(`${url}${path}/`);
    assert.equal(await page.text(), "<h1>Hello</h1>");
    assert.match(page.headers.get("Content-Type")!, /^text\/html/);
    const whole = await fetch(`${url}${path}/large.txt`);
    assert.equal(await whole.text(), large);
    const part = await fetch(`${url}${path}/large.txt`, { headers: { Range: "bytes=5-9" } });
    assert.deepEqual([part.status, new Uint8Array(await part.arrayBuffer())], [
      206,
      bytes("56789"),
    ]);
    const none = await fetch(`${url}${path}/none`);
    await none.text();
    assert.equal(none.status, 404);
  }
  assert.equal((await program.stop()).code, 0);
});
