// Certificates that are not trusted: why, and advice that helps.

import assert from "node:assert/strict";
import { SocketError } from "../../../lib/base/errors.ts";
import { explained } from "../../../lib/cli/commands/get/errors.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import { describeDistrust, whyOtherName } from "../../../lib/base/tls_errors.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import { OWN_HOST, rejects } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";

const own = await selfSigned(["localhost"]);

const TRUST = /trust(ed)? the certificate of its issuer|--cacert/;

/** The messages of an ECERT, from the library and from `get`. */
function messages(code: string, reason: string): string[] {
  const cause = Object.assign(new Error(reason), { code });
  const addr = { host: "192.0.2.1", port: 443 };
  const init = { addr, cause, ...describeDistrust(code, reason) };
  const error = new SocketError("ECERT", "startTls", init);
  return [error.message, (explained(error, "") as Error).message];
}

for (
  const [code, why, advice] of [
    ["CERT_HAS_EXPIRED", /it has expired/, /renewed; .*the clock/],
    ["CERT_NOT_YET_VALID", /it is not valid yet/, /the clock/],
    ["CERT_REVOKED", /it was revoked/, /Take another one/],
    ["INVALID_PURPOSE", /not meant for that end/, /extended key usage/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /not for it/, /a name that it is for.*--servername/],
  ] as const
) {
  test(`ECERT: ${code} is not advised to trust its issuer`, () => {
    for (const message of messages(code, "not for it")) {
      assert.match(message, why);
      assert.match(message, advice);
      assert.doesNotMatch(message, TRUST);
    }
  });
}

for (
  const code of [
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  ]
) {
  test(`ECERT: ${code} is advised to trust its issuer, if it is the right server`, () => {
    for (const message of messages(code, "")) {
      assert.match(
        message,
        /Check that this is the right server\. If it is, trust the certificate of/,
      );
    }
    assert.match(messages(code, "")[1], /--cacert FILE/);
  });
}

test("ECERT: where a runtime does not tell, both is said: that it may have expired, and whom to trust", () => {
  const [message] = messages("UNABLE_TO_VERIFY_LEAF_SIGNATURE", "");
  assert.match(message, /whether its certificate has expired\. Only if .* trust its issuer/);
});

test("ECERT: for whom a certificate is, is told of a few names, of many and of none", () => {
  const why = (subjectaltname?: string, CN?: string) =>
    whyOtherName({ host: "a.example.", cert: { subjectaltname, subject: { CN } } });
  assert.equal(why("DNS:b, IP Address:::1"), "it is not for a.example, but for b, ::1");
  const many = Array.from({ length: 100 }, (_, i) => `DNS:n${i}`).join(", ");
  assert.equal(why(many), "it is not for a.example, but for n0, n1, n2, n3, n4, and 95 more");
  assert.equal(why(undefined, "c"), "it is not for a.example, but for c");
  assert.equal(why(), "it is not for a.example");
  assert.equal(whyOtherName({}), undefined);
});

test("ECERT: a certificate for another name leads to servername, and with that it is trusted", async () => {
  using listener = await systemTransport.listen({ host: OWN_HOST, tls: own });
  const start = async (servername?: string) => {
    const conn = await systemTransport.connect(listener.addr);
    return await systemTransport.startTls(conn, { caCerts: [own.cert], servername });
  };
  const { message } = await rejects(start(), "ECERT");
  assert.match(message, /say that name as `servername`/);
  assert.match(message, /: it is not for 127\.[\d.]+, but for localhost \(ECERT\)/);
  assert.doesNotMatch(message, TRUST);
  const { message: other } = await rejects(start("example.org"), "ECERT");
  assert.match(other, /: it is not for example\.org, but for localhost \(ECERT\)/);
  using client = await start("localhost");
  assert.equal(client.tls.servername, "localhost");
  (await listener.accept()).close();
});
