// Whose page sends a request: uploads and WebSockets ask alike.

import assert from "node:assert/strict";
import { isOwnOrigin } from "../../lib/http/message/own_origin.ts";
import { test } from "../support/runner.deno.ts";

/** Hosts of requests whose page has the origin `https://site.example`, and whether it is their own. */
const HOSTS: readonly (readonly [host: string, isOwn: boolean])[] = [
  ["site.example", true],
  ["SITE.example", true],
  ["site.example:443", true],
  ["site.example:0443", true],
  ["site.example:80", false],
  ["site.example:8443", false],
  ["www.site.example", false],
  ["site.example.evil.example", false],
  ["", false],
  [":443", false],
];

test("own origin: a page is of the host of the request, whatever the scheme of the server is", () => {
  for (const [host, isOwn] of HOSTS) {
    assert.equal(isOwnOrigin("https://site.example", host), isOwn, host);
  }
  assert.ok(isOwnOrigin("http://site.example", "site.example:80"));
  assert.ok(isOwnOrigin("http://site.example:443", "site.example:443"));
  assert.ok(!isOwnOrigin("http://site.example", "site.example:443"));
  assert.ok(isOwnOrigin("http://[2001:db8::1]:8080", "[2001:DB8:0::1]:8080"));
  assert.ok(isOwnOrigin("https://b\u00fccher.example", "xn--bcher-kva.example"));
});

test("own origin: what is not of HTTP is nobody's own", () => {
  const host = "site.example";
  for (const origin of ["null", "", "https://", host, `ftp://${host}`, `file://${host}`]) {
    assert.equal(isOwnOrigin(origin, host), false, origin);
    assert.equal(isOwnOrigin(origin, ""), false, origin);
  }
});
