// server.ts web: its files, as browsers and proxies ask for them.

import assert from "node:assert/strict";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { Buffer } from "node:buffer";
import { bytes, randomBytes } from "../support/helpers.ts";
import { startNginx } from "../support/nginx.ts";
import { startWeb } from "../support/scripts.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";

test("web: who saves and reloads gets the new file, and is told to ask", async () => {
  await using site = await makeSite({ "app.js": "" });
  await using server = await startWeb([site.root]);
  let etag = "";
  for (let i = 0; i < 40; i++) {
    const text = `save(${i % 2});`;
    writeFileSync(site.path("app.js"), text);
    for (const condition of ["", etag]) {
      const response = await fetch(`${server.url}app.js`, {
        headers: condition === "" ? {} : { "If-None-Match": condition },
      });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("Cache-Control"), "no-cache");
      assert.equal(await response.text(), text);
      etag = response.headers.get("ETag")!;
    }
  }
});

test("web: a recording can be watched while it is made", async () => {
  const start = randomBytes(1_000_000);
  await using site = await makeSite({ "a.mp4": start });
  await using server = await startWeb([site.root]);
  const response = await fetch(`${server.url}a.mp4`);
  appendFileSync(site.path("a.mp4"), "more");
  const content = Buffer.from(await response.arrayBuffer());
  assert.ok(content.subarray(0, start.length).equals(start));
  const rest = await fetch(`${server.url}a.mp4`, { headers: { Range: "bytes=1000000-" } });
  assert.equal(rest.status, 206);
  assert.equal(await rest.text(), "more");
});

test("web: behind a proxy with a path of its own, redirects lead to the directory", async () => {
  await using site = await makeSite({ "sub/deep/index.html": "deep" });
  await using server = await startWeb([site.root]);
  await using nginx = await startNginx(server.port);
  for (const path of ["/sub/deep", "/raw/sub/deep", "/raw/sub/deep?a=b"]) {
    const response = await fetch(nginx.url + path);
    assert.equal(await response.text(), "deep");
    assert.ok(response.redirected);
    assert.equal(response.url, nginx.url + path.replace(/deep/, "deep/"));
  }
}, ["nginx"]);

test("web: files that change while they are sent are a line in the log, without a stack", async () => {
  await using site = await makeSite({ "big.bin": new Uint8Array(64 * 1024 * 1024) });
  await using server = await startWeb([site.root]);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await conn.write(bytes("GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  const p = new Uint8Array(65_536);
  let received = (await conn.read(p))!;
  truncateSync(site.path("big.bin"), 10);
  try {
    for (let n; (n = await conn.read(p)) !== null;) received += n;
  } catch (error) {
    // Not all systems tell a reset from an end.
    assert.equal((error as { code?: string }).code, "ECONNRESET");
  }
  assert.ok(received < 64 * 1024 * 1024);
  await server.program.stderr.until(
    /^GET \/big\.bin: .*big\.bin was changed while it was read$/m,
  );
  const { stderr } = await server.program.stop();
  assert.doesNotMatch(stderr, /^ +at /m);
});
