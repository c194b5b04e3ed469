// Several certificates of one listener, chosen by name, and certificates that are replaced while it
// listens.

import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CertificateStore, contextFor } from "../../../lib/net/tls/certificate_store.ts";
import type { TlsClientOptions } from "../../../lib/net/tls/options.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import type { SelfSigned } from "../../../lib/net/tls/self_signed_certificate.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import { formatAddr, type TcpAddr } from "../../../lib/base/addr.ts";
import { serve } from "../../../lib/serve/serve.ts";
import { freshPath } from "../../contract/networks.ts";
import { runProgram } from "../../support/peers.ts";
import type { Listener, TlsConn } from "../../../lib/net/transport.ts";
import { bytes, readText, rejects } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";

const first = await selfSigned(["first.test", "127.0.0.1"]);
const wild = await selfSigned(["*.example.test"]);
const exact = await selfSigned(["www.example.test", "Mixed.Test"]);
const renewed = await selfSigned(["first.test", "127.0.0.1"]);

type TlsListener = Listener<TcpAddr, TlsConn<TcpAddr>>;

function open(...keyPairs: SelfSigned[]) {
  const certificates = new CertificateStore({ keyPairs });
  return { certificates, listening: systemTransport.listen({ tls: { certificates } }) };
}

/** Shakes hands, and returns both ends. */
async function shake(listener: TlsListener, options: TlsClientOptions) {
  const accepting = listener.accept();
  const conn = await systemTransport.connect(listener.addr);
  const client = await systemTransport.startTls(conn, { insecure: true, ...options });
  const server = await accepting;
  return {
    client,
    server,
    [Symbol.dispose]() {
      client.close();
      server.close();
    },
  };
}

/** The fingerprint of the certificate that a client gets which asks for `servername`. */
async function shown(listener: TlsListener, servername: string): Promise<string | undefined> {
  using ends = await shake(listener, { servername });
  return ends.client.tls.peerCertificate?.fingerprint256;
}

test("certificates: a client gets the one for the name that it asks for, and else the first", async () => {
  const { listening } = open(first, wild, exact);
  using listener = await listening;
  const expected: [servername: string, certificate: SelfSigned][] = [
    ["first.test", first],
    ["www.example.test", exact],
    ["WWW.Example.test", exact],
    ["mixed.test", exact],
    ["api.example.test", wild],
    // A wildcard is for one label.
    ["a.b.example.test", first],
    ["example.test", first],
    ["other.test", first],
    // An address is not a name: the client asks for none.
    ["127.0.0.1", first],
  ];
  for (const [servername, { fingerprint }] of expected) {
    assert.equal(await shown(listener, servername), fingerprint, servername);
  }
});

test("certificates: of two for the same name the first is shown", async () => {
  const { listening } = open(wild, first, renewed);
  using listener = await listening;
  assert.equal(await shown(listener, "first.test"), first.fingerprint);
});

test("certificates: new handshakes get those that were replaced, and open connections go on", async () => {
  const { certificates, listening } = open(first, wild);
  using listener = await listening;
  using old = await shake(listener, { servername: "first.test" });
  certificates.replace({ keyPairs: [renewed, exact] });
  for (
    const [name, { fingerprint }] of Object.entries({
      "127.0.0.1": renewed,
      "first.test": renewed,
      "www.example.test": exact,
      "api.example.test": renewed,
    })
  ) {
    assert.equal(await shown(listener, name), fingerprint, name);
  }
  await old.client.write(bytes("still"));
  assert.equal(await readText(old.server, 5), "still");
  await old.server.write(bytes("here"));
  assert.equal(await readText(old.client, 4), "here");
});

test("certificates: one may become several while it listens, and several one", async () => {
  const { certificates, listening } = open(first);
  using listener = await listening;
  for (const keyPairs of [[first], [renewed, exact], [wild], [first, exact]]) {
    certificates.replace({ keyPairs });
    const [{ fingerprint }] = keyPairs;
    assert.equal(await shown(listener, "first.test"), fingerprint);
    const named = keyPairs.includes(exact) ? exact : keyPairs[0];
    assert.equal(await shown(listener, "mixed.test"), named.fingerprint);
  }
});

test("certificates: several listeners share a store, and each is renewed", async () => {
  const { certificates, listening } = open(first);
  using one = await listening;
  using two = await systemTransport.listen({ tls: { certificates, alpnProtocols: ["http/1.1"] } });
  certificates.replace({ keyPairs: [renewed] });
  for (const listener of [one, two]) {
    assert.equal(await shown(listener, "first.test"), renewed.fingerprint);
  }
  using ends = await shake(two, { alpnProtocols: ["http/1.1"] });
  assert.equal(ends.server.tls.alpnProtocol, "http/1.1");
});

test("certificates: what cannot be used is EINVAL, and leaves the store as it was", async () => {
  const { certificates, listening } = open(first);
  using listener = await listening;
  for (
    const [pair, why] of [
      [{ cert: wild.cert, key: exact.key }, /the private key in keyPairs\[1\]\.key is not that of/],
      [{ cert: "", key: exact.key }, /keyPairs\[1\]\.cert is empty/],
    ] as const
  ) {
    assert.throws(() => certificates.replace({ keyPairs: [renewed, pair] }), (error: Error) => {
      assert.equal((error as { code?: string }).code, "EINVAL");
      assert.match(error.message, why);
      return true;
    });
  }
  assert.throws(() => certificates.replace({ keyPairs: [] }), RangeError);
  assert.throws(() => certificates.replace(first as never), /has no option "cert"/);
  assert.throws(
    () => certificates.replace({ keyPairs: [renewed], caCerts: [wild.cert] }),
    /replace has no option "caCerts"/,
  );
  assert.equal(await shown(listener, "first.test"), first.fingerprint);
});

test("certificates: of a pair that stays nothing is made again, for as long as the issuers are the same", () => {
  const certificates = new CertificateStore({ keyPairs: [first, wild], caCerts: [exact.cert] });
  const made = contextFor(certificates, "first.test");
  certificates.replace({ keyPairs: [exact, { ...first }], caCerts: [exact.cert] });
  assert.equal(contextFor(certificates, "first.test"), made);
  assert.notEqual(contextFor(certificates, "none.test"), made);
  const swapped = { cert: first.cert, key: exact.key };
  const replace = () => certificates.replace({ keyPairs: [swapped], caCerts: [exact.cert] });
  assert.throws(replace, /the private key in keyPairs\[0\]\.key is not that of/);
  certificates.replace({ keyPairs: [first], caCerts: [wild.cert] });
  assert.notEqual(contextFor(certificates, "first.test"), made);
});

test("certificates: the issuers of clients are replaced, too", async () => {
  const set = { keyPairs: [first, exact], caCerts: [wild.cert] };
  const certificates = new CertificateStore(set);
  using listener = await systemTransport.listen({ tls: { certificates } });
  const { cert, key } = wild;
  for (const servername of ["first.test", "www.example.test"]) {
    using ends = await shake(listener, { servername, cert, key });
    assert.equal(ends.server.tls.peerCertificate?.fingerprint256, wild.fingerprint);
  }
  certificates.replace({ ...set, caCerts: [exact.cert] });
  for (const servername of ["first.test", "www.example.test"]) {
    using ends = await shake(listener, { servername, cert: exact.cert, key: exact.key });
    assert.equal(ends.server.tls.peerCertificate?.fingerprint256, exact.fingerprint);
  }
  assert.throws(
    () => certificates.replace({ keyPairs: [first] }),
    /replace needs the option caCerts/,
  );
});

test(
  "certificates: whose issuer was taken away is not let in with a session from before",
  async () => {
    const folder = freshPath();
    mkdirSync(folder);
    const at = (name: string) => join(folder, name);
    writeFileSync(at("client.pem"), wild.cert + wild.key);
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const certificates = new CertificateStore({ keyPairs: [first], caCerts: [wild.cert] });
      using listener = await systemTransport.listen({ host: "127.0.0.1", tls: { certificates } });
      await using _server = serve(listener, (conn) => conn.write(bytes("served")));
      const come = async (...session: string[]) => {
        const where = ["-connect", formatAddr(listener.addr), "-cert", at("client.pem"), version];
        const command = ["openssl", "s_client", "-ign_eof", ...where, ...session];
        return (await runProgram(command, { stdin: "" })).stdout.toString();
      };
      const session = at(`session${version}`);
      assert.match(await come("-sess_out", session), /^New, [^]*served/m);
      assert.match(await come("-sess_in", session), /^Reused, [^]*served/m);
      certificates.replace({ keyPairs: [first], caCerts: [exact.cert, wild.cert] });
      assert.match(await come("-sess_in", session), /served/);
      certificates.replace({ keyPairs: [first], caCerts: [exact.cert] });
      assert.doesNotMatch(await come("-sess_in", session), /served/);
    }
    rmSync(folder, { recursive: true });
  },
  ["openssl"],
);

test("certificates: a store takes the place of cert, key and caCerts", async () => {
  const certificates = new CertificateStore({ keyPairs: [first] });
  await assert.rejects(
    systemTransport.listen({ tls: { certificates, cert: first.cert } }),
    /listen, in tls, has no option "cert"/,
  );
  await assert.rejects(
    systemTransport.listen({ tls: {} }),
    /listen, in tls, needs the option cert: a string/,
  );
  await assert.rejects(
    systemTransport.listen({ tls: { certificates: {} as never } }),
    /takes the option certificates as a CertificateStore/,
  );
  await rejects(systemTransport.listen({ tls: { cert: first.cert, key: wild.key } }), "EINVAL");
});
