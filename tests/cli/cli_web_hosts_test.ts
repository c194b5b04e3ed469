// By which names `server.ts web` serves a site.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { servedNames } from "../../lib/cli/options/allow_host.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readText } from "../support/helpers.ts";
import { startNginx } from "../support/nginx.ts";
import { runProgram } from "../support/peers.ts";
import { assertFailed, runServer, startWeb } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";

test("hosts: the program checks names unless there is a password, a Unix socket, or '*'", () => {
  const plain = { "allow-host": [], unix: "" };
  assert.ok(servedNames(plain, false) !== undefined);
  assert.equal(servedNames(plain, true), undefined);
  assert.equal(servedNames({ ...plain, unix: "/x" }, false), undefined);
  assert.equal(servedNames({ ...plain, "allow-host": ["a.example", "*"] }, false), undefined);
  for (const [unix, asks] of [["", false], ["", true], ["/x", false]] as const) {
    const names = servedNames({ ...plain, unix, "allow-host": ["a.example"] }, asks);
    assert.ok(names?.includes("a.example"), "Who asks for it gets it");
  }
  assert.ok(servedNames({ ...plain, host: "box.example" }, false)!.includes("box.example"));
});

test("web: a page whose name leads here can neither read nor write; known names can", async () => {
  await using site = await makeSite({ "a.txt": "text" });
  await using server = await startWeb([
    "--upload",
    "--allow-host",
    "one.example,Two.Example",
    site.root,
  ]);
  const status = async (host: string, ...more: string[]) => {
    const command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"];
    const url = `${server.url}a.txt`;
    const { stdout } = await runProgram([...command, "-H", `Host: ${host}`, ...more, url]);
    return stdout.toString();
  };
  const machine = hostname();
  const known = ["127.0.0.1", "localhost", "one.example:80", "two.example.", machine];
  for (const host of [...known, machine.toUpperCase(), `${machine.split(".")[0]}.local`]) {
    assert.equal(await status(host), "200", host);
  }
  for (const host of ["evil.example", "three.example", `${machine}.evil.example`]) {
    assert.equal(await status(host), "421", host);
    assert.equal(await status(host, "-T", site.path("a.txt")), "421", host);
  }
  const asked = ["curl", "--silent", "-H", "Host: evil.example:80", server.url];
  const { stdout } = await runProgram(asked);
  assert.match(stdout.toString(), /If it is one, start it with --allow-host evil\.example\.$/m);
  await server.program.stderr.until(
    /^refused a request of 127\.0\.0\.1: evil\.example is not known to be a name of this server\. If it is one, start it with --allow-host evil\.example \(UNKNOWN_HOST\)$/m,
  );
}, ["curl"]);

test("web: --allow-host takes names, and nothing else", async () => {
  for (
    const [value, message] of [
      ["", /--allow-host takes a name as example\.com, or '\*', not ''/],
      ["http://a.example/", /--allow-host takes a name/],
      ["*.example", /--allow-host takes a name/],
      ["a.example,", /--allow-host takes a name/],
      ["a.example:8080", /takes the name alone, for any port: write --allow-host a\.example\. See/],
    ] as const
  ) assertFailed(await runServer(["web", "--allow-host", value]), 2, message);
});

test(
  "web: the form works behind nginx with no more than proxy_pass, below a path of its own",
  async () => {
    await using site = await makeSite({ "sub/": "", "sub/a.txt": "text" });
    await using server = await startWeb(["--upload", site.root]);
    await using nginx = await startNginx(server.port);
    const page = `${nginx.url}/plain/sub/`;
    const post = async (file: string, ...headers: string[]) => {
      const fields = headers.flatMap((header) => ["-H", header]);
      const form = ["-F", `x=@${site.path("sub/a.txt")};filename=${file}`];
      const format = ["--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}"];
      const { stdout } = await runProgram(["curl", "-sS", ...format, ...fields, ...form, page]);
      return stdout.toString();
    };
    const origin = "Origin: https://files.example.com";
    assert.equal(await post("b.txt", origin, "Sec-Fetch-Site: same-origin"), `303 ${page}`);
    assert.equal(await post("c.txt", origin, "Sec-Fetch-Site: cross-site"), "403 ");
    assert.deepEqual((await readdir(site.path("sub"))).sort(), ["a.txt", "b.txt"]);
  },
  ["curl", "nginx"],
);

test("web --log json: the line of a 421 says why, also if a browser gets a page", async () => {
  await using site = await makeSite({ "a.txt": "text" });
  await using server = await startWeb(["--log", "json", site.root]);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  const head = ["GET /a.txt HTTP/1.1", "Host: evil.example", "Accept: text/html", "", ""];
  await conn.write(bytes(head.join("\r\n")));
  assert.equal(await readText(conn, 12), "HTTP/1.1 421");
  const [line] = await server.program.stderr.until(/^.*"status":421.*$/m);
  const { code, message } = JSON.parse(line);
  assert.equal(code, "UNKNOWN_HOST");
  assert.match(message, /^evil\.example is not known to be a name of this server\. If it is one,/);
});
