// By which names a site is served: a page whose name leads to this machine is none of it.

import assert from "node:assert/strict";
import { hostNameOf } from "../../lib/base/url.ts";
import { siteHandler } from "../../lib/files/site.ts";
import { serveOn } from "../support/http_helpers.ts";
import { responsesOf } from "../support/http_responses.ts";
import { test } from "../support/runner.deno.ts";
import { ask, makeSite, type Site } from "../support/site_helpers.ts";

/** The status of a request of a site that goes by these names. */
async function statusOf(site: Site, host: string, hosts: string[], method = "GET") {
  const handler = siteHandler(site.root, { hosts, upload: true });
  const body = method === "PUT" ? [new Uint8Array(1)] : [];
  return (await ask(handler, { method, target: "/a.txt", headers: { Host: host }, body })).status;
}

const LOCAL = [
  "127.0.0.1",
  "127.0.0.1:8080",
  "192.168.1.5:1",
  "127.1",
  "127.0.0.1.",
  "2130706433",
  "[::1]",
  "[::1]:8080",
  "[FE80::1]:80",
  "localhost",
  "localhost:",
  "LocalHost:8080",
  "localhost.",
  "localhost.:8080",
  "app.localhost",
  "a.b.LOCALHOST.:3000",
];

const FOREIGN = [
  "evil.example",
  "evil.example:8080",
  "EVIL.example.",
  "localhost.evil.example",
  "notlocalhost",
  "localhost..",
  ".localhost.evil",
  "127.0.0.1.evil.example",
  "127.0.0.1.nip.io",
  "1.2.3.4.5",
  "1.2.3.evil",
  "evil%2elocalhost.example",
  "xn--localhost-evil",
  "mine.example.evil",
  "notmine.example",
  "sub.mine.example",
  "%5B::1%5D",
];

test("hosts: without a list a site is served by any name", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  for (const host of [...LOCAL, ...FOREIGN]) {
    const { status } = await ask(siteHandler(site.root), {
      target: "/a.txt",
      headers: { Host: host },
    });
    assert.equal(status, 200, host);
  }
});

test("hosts: with one, it is served by addresses, localhost and the names in it", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  const hosts = ["mine.example", "BÜCHER.example", "Dot.example."];
  const own = ["mine.example", "MINE.example:8080", "mine.example.", "xn--bcher-kva.example"];
  for (const host of [...LOCAL, ...own, "dot.example", "DOT.example.:1", ""]) {
    assert.equal(await statusOf(site, host, hosts), 200, host);
  }
  for (const host of FOREIGN) assert.equal(await statusOf(site, host, hosts), 421, host);
});

test("hosts: 421 comes before all else, whatever the request, and says what to do", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  const handler = siteHandler(site.root, {
    hosts: [],
    upload: true,
    cors: true,
    credentials: { user: "u", password: "p" },
    headers: ["X-One", "1"],
  });
  const headers = {
    Host: "evil.example:8080",
    Origin: "http://evil.example:8080",
    "Sec-Fetch-Site": "same-origin",
    "Access-Control-Request-Method": "GET",
  };
  for (const method of ["GET", "HEAD", "PUT", "POST", "OPTIONS", "DELETE"]) {
    for (const target of ["/a.txt", "/", "/none", "/../x"]) {
      const answer = await ask(handler, { method, target, headers });
      assert.equal(answer.status, 421, `${method} ${target}`);
      assert.equal(answer.headers["x-one"], "1");
      assert.match(answer.text, /If it is one, it has to be added to the hosts of this site\.$/m);
      assert.doesNotMatch(answer.text, /--/, "The library has no flags");
    }
  }
});

test("hosts: a name that was served once does not let others in, however many come", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  const handler = siteHandler(site.root, { hosts: [] });
  const get = async (host: string) =>
    (await ask(handler, { target: "/a.txt", headers: { Host: host } })).status;
  for (let i = 0; i < 200; i++) {
    assert.equal(await get(`n${i}.localhost`), 200);
    assert.equal(await get(`n${i}.example`), 421);
    assert.equal(await get(`n${i}.example`), 421);
  }
});

test("hosts: the host of an absolute target counts, and several Hosts are 400", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  await using server = await serveOn(siteHandler(site.root, { hosts: [] }));
  const statuses = async (text: string) =>
    responsesOf(await server.talk(text)).map((r) => r.status);
  const good = "Host: 127.0.0.1\r\n";
  const evil = "Host: evil.example\r\n";
  for (
    const [target, fields, status] of [
      ["/a.txt", good, 200],
      ["/a.txt", evil, 421],
      ["http://evil.example/a.txt", good, 421],
      ["http://user@EVIL.example:80/a.txt", good, 421],
      ["http://127.0.0.1:8080/a.txt", evil, 200],
      ["http://localhost./a.txt", good, 200],
      ["/a.txt", good + good, 400],
      ["/a.txt", good + evil, 400],
      ["/a.txt", evil + good, 400],
      ["/a.txt", `X-Forwarded-Host: localhost\r\n${evil}`, 421],
      ["/a.txt", `Forwarded: host=localhost\r\n${evil}`, 421],
      ["/a.txt", "", 400],
    ] as const
  ) {
    const request = `GET ${target} HTTP/1.1\r\n${fields}\r\n`;
    assert.deepEqual(await statuses(request), [status], request);
  }
  assert.deepEqual(await statuses("GET /a.txt HTTP/1.0\r\n\r\n"), [200], "no browser");
  assert.deepEqual(await statuses(`GET /a.txt HTTP/1.0\r\n${evil}\r\n`), [421]);
});

test("hosts: names have one spelling, and what is none has none", () => {
  for (
    const [host, name] of [
      ["Example.COM:80", "example.com"],
      ["example.com.", "example.com"],
      ["0x7f.1", "127.0.0.1"],
      ["[::0:1]:5", "[::1]"],
      ["", undefined],
      [":80", undefined],
      [".", undefined],
      ["a/b", undefined],
      ["a#b", undefined],
      ["localhost\\@evil", undefined],
      ["evil@localhost", undefined],
      ["[::1", undefined],
      ["a:99999", undefined],
      ["1.2.3.4.5", undefined],
    ]
  ) assert.equal(hostNameOf(host!), name, host);
});
