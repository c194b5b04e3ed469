// By which names a server is asked. tests/files/web_hosts_test.ts has the spellings of names.

import assert from "node:assert/strict";
import { fromFetchHandler } from "../../lib/http/fetch/fetch_handler.ts";
import { requireHost, type RequireHostOptions } from "../../lib/http/fetch/require_host.ts";
import { test } from "../support/runner.deno.ts";
import { lightRequest } from "../support/site_helpers.ts";

const hello = fromFetchHandler(() => new Response("hello"));

/** The response to a request for a host. */
async function asked(host: string, options?: RequireHostOptions) {
  return await requireHost(hello, options)({ ...lightRequest({ target: "/" }), host });
}

test("require host: addresses, localhost and the names of a list pass, at any port", async () => {
  const hosts = ["example.com"];
  for (const host of ["127.0.0.1:80", "[::1]", "localhost", "a.localhost:1", "Example.com:8", ""]) {
    assert.equal((await asked(host, { hosts })).status, 200, host);
  }
  assert.equal((await asked("example.com")).status, 421);
});

test("require host: another name is refused with 421, its error, the fields and the advice", async () => {
  const { status, error, headers, body } = await asked("evil.example:80", {
    headers: ["X-One", "1"],
    adviceOnHost: (name) => `add ${name}`,
  });
  assert.equal(status, 421);
  assert.equal(error?.code, "UNKNOWN_HOST");
  assert.deepEqual(headers?.slice(-2), ["X-One", "1"]);
  assert.match(String(body), /^evil\.example is not .*\. If it is one, add evil\.example\.\n$/);
});

test("require host: a Request of fetch is for the host of its URL", async () => {
  const handler = requireHost(hello);
  const text = async (url: string) => {
    const response = await handler(new Request(url));
    return [response.status, (await response.text()).slice(0, 12)];
  };
  assert.deepEqual(await text("http://127.0.0.1/"), [200, "hello"]);
  assert.deepEqual(await text("http://evil.example/"), [421, "evil.example"]);
});

test("require host: what it does not take is named", () => {
  assert.throws(() => requireHost("x" as never), /TypeError: requireHost takes/);
  const hosts = "example.com" as never;
  assert.throws(
    () => requireHost(hello, { hosts }),
    /takes the option hosts as .*\["example.com"\]/,
  );
});
