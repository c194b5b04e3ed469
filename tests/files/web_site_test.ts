// Who may have a site: users and passwords, scripts of other sites, fields of every response.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { siteHandler } from "../../lib/files/site.ts";
import { test } from "../support/runner.deno.ts";
import { ask, makeSite } from "../support/site_helpers.ts";

const CREDENTIALS = { user: "Zoë", password: "a:b c" };

function basic(text: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(text).toString("base64")}` };
}

const CORS = {
  origin: "https://other.example",
  "access-control-request-method": "GET",
  "access-control-request-headers": "range",
};

test("auth: without credentials, or with others, 401 says what is needed", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  const handler = siteHandler(site.root, { credentials: CREDENTIALS, upload: true });
  const wrong: Record<string, string>[] = [
    {},
    basic("Zoë:a:b"),
    basic("Zoë:a:b c "),
    basic("zoë:a:b c"),
    basic("Zoë"),
    basic(""),
    { Authorization: "Basic" },
    { Authorization: "Basic !" },
    { Authorization: `Bearer ${Buffer.from("Zoë:a:b c").toString("base64")}` },
  ];
  for (const headers of wrong) {
    for (const method of ["GET", "HEAD", "PUT", "POST", "OPTIONS", "DELETE"]) {
      for (const target of ["/a.txt", "/", "/none", "/../x"]) {
        const answer = await ask(handler, { method, target, headers });
        assert.equal(answer.status, 401, `${method} ${target} ${JSON.stringify(headers)}`);
        assert.equal(
          answer.headers["www-authenticate"],
          'Basic realm="plainsocket", charset="UTF-8"',
        );
        assert.equal(answer.headers["cache-control"], "no-store");
      }
    }
  }
});

test("auth: with the right ones all is as without", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  const handler = siteHandler(site.root, { credentials: CREDENTIALS });
  const headers = basic("Zoë:a:b c");
  assert.equal((await ask(handler, { target: "/a.txt", headers })).text, "a");
  headers.Authorization = headers.Authorization.replace("Basic", "bAsIc");
  assert.equal((await ask(handler, { target: "/", headers })).status, 200);
  assert.equal((await ask(handler, { target: "/none", headers })).status, 404);
});

test("cors: a preflight is answered, even where a password is asked for", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  const handler = siteHandler(site.root, { cors: true, credentials: CREDENTIALS });
  const { status, headers } = await ask(handler, {
    method: "OPTIONS",
    target: "/a.txt",
    headers: CORS,
  });
  assert.equal(status, 204);
  assert.equal(headers["access-control-allow-origin"], "*");
  assert.equal(headers["access-control-allow-methods"], "GET, HEAD");
  assert.match(headers["access-control-allow-headers"], /\bAuthorization\b.*\bRange\b/);
});

test("cors: every response may be read, and what is in its fields", async () => {
  await using site = await makeSite({ "a.txt": "a", "sub/": "" });
  const handler = siteHandler(site.root, { cors: true, upload: true });
  const questions = [
    ["GET", "/a.txt", 200],
    ["GET", "/sub/", 200],
    ["GET", "/sub", 301],
    ["GET", "/none", 404],
    ["GET", "/../x", 400],
    ["PUT", "/sub/", 409],
    ["DELETE", "/", 405],
    ["OPTIONS", "/", 204],
  ] as const;
  for (const [method, target, status] of questions) {
    const answer = await ask(handler, { method, target });
    assert.equal(answer.status, status, `${method} ${target}`);
    assert.equal(answer.headers["access-control-allow-origin"], "*", `${method} ${target}`);
    assert.match(answer.headers["access-control-expose-headers"], /\bContent-Range\b.*\bETag\b/);
  }
  const refusing = siteHandler(site.root, { cors: true, credentials: CREDENTIALS });
  const refused = await ask(refusing, { target: "/" });
  assert.deepEqual([refused.status, refused.headers["access-control-allow-origin"]], [401, "*"]);
});

test("cors: without it nothing is said to other sites", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  const handler = siteHandler(site.root);
  for (const method of ["GET", "OPTIONS"]) {
    const { headers } = await ask(handler, { method, target: "/a.txt", headers: CORS });
    const names = Object.keys(headers).filter((name) => name.startsWith("access-control"));
    assert.deepEqual(names, []);
  }
});

test("site: fields for all responses are in all, and just once", async () => {
  await using site = await makeSite({ "a.txt": "a", "sub/": "" });
  const handler = siteHandler(site.root, { headers: ["X-One", "1", "X-Two", "2"], upload: true });
  for (
    const [method, target] of [
      ["GET", "/a.txt"],
      ["GET", "/sub/"],
      ["GET", "/none"],
      ["PUT", "/new"],
      ["PUT", "/sub"],
      ["POST", "/"],
      ["DELETE", "/"],
      ["OPTIONS", "/"],
    ]
  ) {
    const { headers } = await ask(handler, { method, target });
    assert.deepEqual([headers["x-one"], headers["x-two"]], ["1", "2"], `${method} ${target}`);
  }
});

test("site: OPTIONS names the methods", async () => {
  await using site = await makeSite();
  const { status, headers } = await ask(siteHandler(site.root), {
    method: "OPTIONS",
    target: "/x",
  });
  assert.deepEqual([status, headers.allow], [204, "GET, HEAD, OPTIONS"]);
});
