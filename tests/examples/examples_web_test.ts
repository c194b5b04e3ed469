// The web client and the web server on nothing but sockets, in Python and ours.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, randomBytes } from "../support/helpers.ts";
import { runProgram } from "../support/peers.ts";
import { startWeb } from "../support/scripts.ts";
import { KINDS, SharedServers, tutorialCommand } from "./tutorial_programs.ts";
import { afterAll, beforeAll, test } from "../support/runner.deno.ts";

const HOST = "127.0.0.1";
const LARGE = randomBytes(300_000);

/** A directory to serve, with something beside it that is not to be served. */
function makeSite(): { root: string; directory: string } {
  const root = mkdtempSync(join(tmpdir(), "plainsocket-"));
  const directory = join(root, "site");
  mkdirSync(join(directory, "empty"), { recursive: true });
  writeFileSync(join(directory, "index.html"), "<h1>hello</h1>\n");
  writeFileSync(join(directory, "a b.txt"), "text\n");
  writeFileSync(join(directory, "large.bin"), LARGE);
  writeFileSync(join(root, "secret.txt"), "secret\n");
  symlinkSync(join(root, "secret.txt"), join(directory, "link.txt"));
  return { root, directory };
}

/** What all tests serve, and the servers on nothing but sockets. */
const site = makeSite();
const shared = new SharedServers();

beforeAll(() => shared.start({ web_server: [site.directory, HOST, "0"] }));

afterAll(async () => {
  await shared[Symbol.asyncDispose]();
  rmSync(site.root, { recursive: true });
});

/** What a web client prints, and its exit code. */
async function get(kind: typeof KINDS[number], url: string) {
  const { code, stdout, stderr } = await runProgram([...tutorialCommand(kind, "web_client"), url]);
  return { code, stdout, status: /HTTP\/1\.\d (\d+)/.exec(stderr)?.[1] };
}

for (const kind of KINDS) {
  test(
    `tutorial: step 9: the web server that is ${kind} sends files to curl and to both clients`,
    async () => {
      const server = shared.get(kind, "web_server")!;
      const url = `http://${HOST}:${server.port}`;
      for (const client of KINDS) {
        const large = await get(client, `${url}/large.bin?q=1`);
        assert.deepEqual([large.code, large.status], [0, "200"]);
        assert.ok(large.stdout.equals(LARGE));
        const missing = await get(client, `${url}/missing`);
        assert.deepEqual([missing.code, missing.status], [1, "404"]);
      }
      const curl = await runProgram(["curl", "-si", `${url}/a%20b.txt`]);
      assert.match(
        curl.stdout.toString(),
        /^HTTP\/1\.0 200 OK\r\n[^]*text\/plain[^]*\r\n\r\ntext\n$/,
      );
    },
    ["python3", "curl"],
  );

  test(
    `tutorial: step 9: the web server that is ${kind} shows nothing outside of its directory, and takes GET only`,
    async () => {
      const server = shared.get(kind, "web_server")!;
      const ask = async (request: string) => {
        using conn = await systemTransport.connect({ host: HOST, port: server.port });
        await conn.write(bytes(request));
        let heard = "";
        const p = new Uint8Array(4096);
        for (let n; (n = await conn.read(p)) !== null;) {
          heard += new TextDecoder().decode(p.subarray(0, n));
        }
        return heard;
      };
      const outside = ["/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/..%2fsecret.txt"];
      for (const target of [...outside, "/empty", "/empty/"]) {
        assert.match(await ask(`GET ${target} HTTP/1.0\r\n\r\n`), /^HTTP\/1\.0 404 /, target);
      }
      assert.match(await ask("POST / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.0 405 /);
      const page = await ask("GET /?q=1 HTTP/1.0\r\n\r\n");
      assert.match(page, /^HTTP\/1\.0 200 [^]*\r\n\r\n<h1>hello<\/h1>\n$/);
    },
    ["python3"],
  );

  test(
    `tutorial: step 9: the web client that is ${kind} gets pages from our own web server`,
    async () => {
      await using server = await startWeb([site.directory]);
      const page = await get(kind, server.url);
      assert.deepEqual([page.code, page.stdout.toString()], [0, "<h1>hello</h1>\n"]);
    },
    ["python3"],
  );

  test(
    `tutorial: step 9: the web client that is ${kind} says how to call it for a URL that is not of HTTP`,
    async () => {
      for (const url of ["https://localhost/", "localhost:8000"]) {
        const command = [...tutorialCommand(kind, "web_client"), url];
        const { code, stderr } = await runProgram(command);
        assert.equal(code, 1);
        assert.match(stderr, /^usage: web_client\.(py|ts) http:/);
      }
    },
    ["python3"],
  );
}
