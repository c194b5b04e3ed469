// The certificates of the servers while they run: chosen by name, and read again on SIGHUP and when
// their files change. openssl tells which one it got of the echo server, and our own client of others.

import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { dial } from "../../lib/dial.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { SelfSigned } from "../../lib/net/tls/self_signed_certificate.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { bytes, readText } from "../support/helpers.ts";
import { DEADLINE_MS, Program, runProgram } from "../support/peers.ts";
import {
  assertFailed,
  listening,
  programCommand,
  runServer,
  startServer,
  startServerProcess,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

const [one, two, three] = [
  await selfSigned(["localhost", "one.test"]),
  await selfSigned(["localhost", "*.two.test"]),
  await selfSigned(["three.test"]),
];

/** All that serve: each has its certificate from the same code, and could fail to ask for it. */
const SERVERS: readonly (readonly string[])[] = [
  ["echo"],
  ["web"],
  ["chat"],
  ["relay", "--to", "127.0.0.1:1"],
];

const RENEWED = /^read again the certificate, valid until \d{4}-\d\d-\d\d$/m;
const IGNORED = /^SIGHUP: nothing to read again; going on$/m;
const LOOK_MS = 1000;

/** A folder of certificates that is removed at the end. */
class Folder {
  readonly path = mkdtempSync(join(tmpdir(), "certificates-"));

  at(name: string): string {
    return join(this.path, name);
  }

  /** Writes a file in the way of those who renew certificates: it is there whole, or not at all. */
  write(name: string, text: string): void {
    mkdirSync(dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(".new"), text);
    renameSync(this.at(".new"), this.at(name));
  }

  /** The two files of a key pair, and the options that name them. */
  pair({ cert, key }: SelfSigned, certName = "a.crt", keyName = "a.key"): string[] {
    this.write(certName, cert);
    this.write(keyName, key);
    return ["--tls-cert", this.at(certName), "--tls-key", this.at(keyName)];
  }

  remove(name: string): void {
    rmSync(this.at(name), { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Has openssl look at the certificate only: what it would check it with takes most of its time. */
const UNCHECKED = ["-no-CAfile", "-no-CApath", "-no-CAstore"];

/** The fingerprint of the certificate that our own client gets. */
async function shown(port: number, servername = "localhost"): Promise<string> {
  const tls = { insecure: true, servername };
  using conn = await dial(systemTransport, { host: "127.0.0.1", port, tls });
  return conn.tls.peerCertificate?.fingerprint256 ?? assert.fail("no certificate");
}

/** The fingerprint of the certificate that openssl gets. */
async function shownToOpenssl(port: number, servername = "localhost"): Promise<string> {
  const at = ["-connect", `127.0.0.1:${port}`, "-servername", servername];
  const { stdout, stderr } = await runProgram(["openssl", "s_client", ...UNCHECKED, ...at]);
  const [pem] = /-----BEGIN[^]*END CERTIFICATE-----/.exec(stdout.toString()) ?? assert.fail(stderr);
  return new X509Certificate(pem).fingerprint256;
}

/** Who looks at the certificate of a server. */
const lookerAt = (args: readonly string[]) => args[0] === "echo" ? shownToOpenssl : shown;

async function assertShown(
  port: number,
  expected: Readonly<Record<string, SelfSigned>>,
  look = shown,
): Promise<void> {
  for (const [servername, { fingerprint }] of Object.entries(expected)) {
    assert.equal(await look(port, servername), fingerprint, servername);
  }
}

test(
  "servers: SIGHUP has new handshakes get the new certificate, and connections go on",
  async () => {
    for (const args of SERVERS) {
      using folder = new Folder();
      const look = lookerAt(args);
      await using server = await startServer([...args, ...folder.pair(one)]);
      const { port, program } = server;
      const place = { host: "localhost", port, tls: { caCerts: [one.cert] } };
      using open = args[0] === "echo" ? await dial(systemTransport, place) : undefined;
      assert.equal(await look(port), one.fingerprint, args[0]);
      folder.pair(two);
      program.kill("SIGHUP");
      await program.stderr.until(RENEWED);
      assert.equal(await look(port), two.fingerprint, args[0]);
      await open?.write(bytes("still"));
      if (open !== undefined) assert.equal(await readText(open, 5), "still");
      open?.close();
      assert.equal((await program.stop()).code, 0);
    }
  },
  ["openssl"],
);

test(
  "servers: a new certificate is shown without a signal, when both its files have changed",
  async () => {
    for (const args of SERVERS) {
      using folder = new Folder();
      const look = lookerAt(args);
      const clock = new TestClock();
      await using server = await startServer([...args, ...folder.pair(one)], { clock });
      const { port, program } = server;
      await clock.pass(LOOK_MS);
      folder.write("a.crt", two.cert);
      await clock.pass(LOOK_MS);
      // In between, the key is that of another one.
      folder.write("a.key", two.key);
      await clock.pass(LOOK_MS);
      assert.equal(await look(port), one.fingerprint);
      await clock.pass(LOOK_MS);
      await program.stderr.until(RENEWED);
      assert.equal(await look(port), two.fingerprint);
      for (let i = 0; i < 3; i++) await clock.pass(LOOK_MS);
      const { stderr } = await program.stop();
      assert.equal(stderr.match(/certificate/g)?.length, 1, stderr);
    }
  },
  ["openssl"],
);

test(
  "servers: a pair that does not fit keeps the old certificate, and is one line until it fits",
  async () => {
    for (const args of SERVERS) {
      using folder = new Folder();
      const look = lookerAt(args);
      const clock = new TestClock();
      await using server = await startServer([...args, "-q", ...folder.pair(one)], { clock });
      const { port, program } = server;
      const { stderr } = program;
      folder.write("a.key", two.key);
      for (let i = 0; i < 5; i++) await clock.pass(LOOK_MS);
      const why =
        `Option --tls-key: the private key in '${folder.at("a.key")}' is not that of the ` +
        `certificate in '${folder.at("a.crt")}'. The certificate stays as it was.`;
      assert.deepEqual(stderr.lines, [why]);
      assert.equal(await look(port), one.fingerprint);
      // Who asks is told again.
      program.kill("SIGHUP");
      assert.deepEqual(stderr.lines, [why, why]);
      folder.write("a.crt", two.cert);
      for (let i = 0; i < 2; i++) await clock.pass(LOOK_MS);
      assert.equal(await look(port), two.fingerprint);
      folder.remove("a.crt");
      for (let i = 0; i < 2; i++) await clock.pass(LOOK_MS);
      assert.match(
        stderr.lines[2],
        /^Option --tls-cert cannot read '.*a\.crt': there is no such file\./,
      );
      assert.equal(await look(port), two.fingerprint);
    }
  },
  ["openssl"],
);

test("server: --tls-dir shows the certificate for the name, and else the default", async () => {
  using folder = new Folder();
  folder.pair(one, "one.crt", "one.key");
  folder.pair(two, "live/fullchain.pem", "live/privkey.pem");
  folder.pair(three, "default.crt", "default.key");
  folder.write("README", "no certificate\n");
  for (const args of SERVERS) {
    await using server = await startServer([...args, "--tls-dir", folder.path]);
    await assertShown(server.port, {
      "one.test": one,
      "www.two.test": two,
      // Both have it: the first by name.
      "localhost": two,
      "two.test": three,
      "other.test": three,
    }, lookerAt(args));
  }
}, ["openssl"]);

test(
  "server: --tls-dir takes what is added, drops what is removed, and keeps what is broken",
  async () => {
    using folder = new Folder();
    folder.pair(one, "one.crt", "one.key");
    const clock = new TestClock();
    await using server = await startServer(["--tls-dir", folder.path], { clock });
    const { port, program } = server;
    const looks = async () => {
      await clock.pass(LOOK_MS);
      await clock.pass(LOOK_MS);
    };
    await assertShown(port, { "three.test": one });
    folder.pair(three, "three/fullchain.pem", "three/privkey.pem");
    folder.pair(two, "two.crt", "two.key");
    await looks();
    await program.stderr.until(
      /^read again 2 certificates \(three, two\), valid until \d{4}-\d\d-\d\d$/m,
    );
    await assertShown(port, { "three.test": three, "a.two.test": two, "other.test": one });
    folder.write("three/privkey.pem", "");
    folder.remove("two.crt");
    folder.remove("two.key");
    const renewed = await selfSigned(["one.test"]);
    folder.pair(renewed, "one.crt", "one.key");
    await looks();
    await program.stderr.until(
      /^Option --tls-dir: '.*three\/privkey\.pem' is empty\. The certificate 'three' stays as it was\.\nread again 1 certificate \(one\), valid until \S+\nno longer shows 1 certificate \(two\)$/m,
    );
    await assertShown(port, { "three.test": three, "a.two.test": renewed, "one.test": renewed });
    folder.write("four.crt", two.cert);
    await looks();
    await program.stderr.until(
      /'.*four\.key': there is no such file\. The certificate 'four' is left out\.$/m,
    );
    for (const name of ["one.crt", "three", "four.crt"]) folder.remove(name);
    await looks();
    await program.stderr.until(
      /there is no certificate in '.*'.*\. The certificates stay as they were\.$/m,
    );
    await assertShown(port, { "three.test": three, "one.test": renewed });
  },
);

test("server: the issuers of clients are read again, also beside a certificate of its own making", async () => {
  using folder = new Folder();
  folder.write("ca.pem", one.cert);
  const args = ["--tls-self-signed", "--tls-client-ca", folder.at("ca.pem")];
  await using server = await startServer(args);
  const { port, program } = server;
  const asks = async ({ cert, key }: SelfSigned) => {
    const tls = { cert, key, insecure: true };
    using conn = await dial(systemTransport, { host: "127.0.0.1", port, tls });
    await conn.write(bytes("hello"));
    return await readText(conn, 5);
  };
  assert.equal(await asks(one), "hello");
  folder.write("ca.pem", two.cert);
  program.kill("SIGHUP");
  await program.stderr.until(/^read again the issuers of clients$/m);
  assert.equal(await asks(two), "hello");
  await assert.rejects(asks(one));
});

async function hasThreads(): Promise<boolean> {
  try {
    (await systemTransport.listen({ reusePort: true })).close();
    return true;
  } catch {
    return false;
  }
}

for (const kind of await hasThreads() ? ["processes", "threads"] : ["processes"]) {
  test(`server: with workers that are ${kind} each shows the new certificate, and one line says so`, async () => {
    using folder = new Folder();
    await using server = await startServerProcess([
      ...["--host", "127.0.0.1", "--port", "0", "--workers", "2", "--worker-kind", kind],
      ...folder.pair(one),
    ]);
    const { port, program } = server;
    assert.equal(await shown(port), one.fingerprint);
    folder.pair(two);
    // Threads get no signal, and see by themselves that the files have changed.
    if (kind === "processes") program.kill("SIGHUP");
    await program.stderr.until(RENEWED);
    // Whichever worker answers: at some time all of them show it, and from then on no other.
    const began = performance.now();
    for (let same = 0; same < 50;) {
      assert.ok(performance.now() - began < DEADLINE_MS, "a worker still shows the old one");
      same = await shown(port) === two.fingerprint ? same + 1 : 0;
    }
    const { code, stderr } = await program.stop();
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/read again/g)?.length, 1, stderr);
  });
}

test("server: what can be read once only is not read again", async () => {
  // The server takes the place of the shell, so that it is what is stopped.
  const line = 'file=$1; shift; exec "$@" < <(cat "$file")';
  using folder = new Folder();
  folder.write("both.pem", one.cert + one.key);
  const args = ["--host", "127.0.0.1", "--port", "0", "--tls-cert", "/dev/stdin"];
  const command = ["bash", "-c", line, "bash", folder.at("both.pem"), ...programCommand("server")];
  await using server = await listening(new Program([...command, ...args]));
  assert.equal(await shown(server.port), one.fingerprint);
});

/** A certificate of localhost for January 2024, and its key. */
const EXPIRED = `-----BEGIN CERTIFICATE-----
MIIBTTCB9KADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z
dDAeFw0yNDAxMDEwMDAwMDBaFw0yNDAyMDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxv
Y2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL6gSOZZhrlheUeH3A19
548yMNnP69Ga6dp36wYyGuwaUjpRKg+q34V/yVkueNFdogFKUtNkLDEpmmtgOfRf
rcWjNzA1MBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAdBgNVHQ4EFgQUeBEvFNOZ8zsv
JMc8CdwLutS+PZMwCgYIKoZIzj0EAwIDSAAwRQIgWfhtzDGbk3KAfACCITPiz2jz
eJqoeVefdBI4cZn2DnMCIQCQ1FdZnt2kHGMZcOtkxZrGALxtrxZ74Sg7S0hquECD
Cg==
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLhoRT91Bcj6B6QxG
TsfWup7L1O0LJ0qmPX1hpnFtiNOhRANCAAS+oEjmWYa5YXlHh9wNfeePMjDZz+vR
munad+sGMhrsGlI6USoPqt+Ff8lZLnjRXaIBSlLTZCwxKZprYDn0X63F
-----END PRIVATE KEY-----
`;

test(
  "server: a certificate that is out of date is shown, and the log says so at the start and when it is read again",
  async () => {
    using folder = new Folder();
    folder.write("both.pem", EXPIRED);
    await using server = await startServer(["-q", "--tls-cert", folder.at("both.pem")]);
    const why = "The certificate expired on 2024-02-01: clients refuse it. Renew it.";
    const { stderr } = server.program;
    assert.deepEqual(stderr.lines, [why]);
    const { fingerprint256 } = new X509Certificate(EXPIRED);
    assert.equal(await shown(server.port), fingerprint256);
    server.program.kill("SIGHUP");
    assert.deepEqual(stderr.lines, [why, why]);
    folder.write("both.pem", one.cert + one.key);
    server.program.kill("SIGHUP");
    assert.equal(await shown(server.port), one.fingerprint);
    assert.deepEqual(stderr.lines, [why, why]);
  },
);

test("server: a key that is encrypted is read again with its passphrase", async () => {
  using folder = new Folder();
  const renew = ({ cert, key }: SelfSigned, passphrase: string) => {
    folder.write("passphrase", passphrase);
    const encrypting = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase } as const;
    return folder.pair({
      cert,
      key: String(createPrivateKey(key).export(encrypting)),
      fingerprint: "",
    });
  };
  const file = ["--tls-key-passphrase-file", folder.at("passphrase")];
  await using server = await startServer([...renew(one, "open"), ...file]);
  renew(two, "sesame");
  server.program.kill("SIGHUP");
  await server.program.stderr.until(RENEWED);
  assert.equal(await shown(server.port), two.fingerprint);
});

test("server: SIGHUP has nothing to read again of a certificate of its own making", async () => {
  await using server = await startServer(["--tls-self-signed"]);
  server.program.kill("SIGHUP");
  await server.program.stderr.until(IGNORED);
});

test("server: --tls-dir says of a folder that is not right what is wrong", async () => {
  using folder = new Folder();
  folder.write("empty/README", "");
  folder.write("alone/a.crt", one.cert);
  folder.write("mixed/a.crt", one.cert);
  folder.write("mixed/a.key", two.key);
  folder.write("keys/a.key", one.key);
  folder.write("live/x/privkey.pem", one.key);
  folder.pair(one, "above/fullchain.pem", "above/privkey.pem");
  mkdirSync(folder.at("links/x"), { recursive: true });
  symlinkSync("nowhere", folder.at("links/x/fullchain.pem"));
  mkdirSync(folder.at("many"));
  for (let i = 0; i <= 1000; i++) writeFileSync(folder.at(`many/${i}.crt`), "");
  const cases: [args: string[], why: RegExp][] = [
    [["--tls-dir", folder.at("many")], /--tls-dir: there are more than 1000 certificates in/],
    [
      ["--tls-dir", folder.at("none")],
      /Option --tls-dir cannot read '.*none': there is no such folder/,
    ],
    [["--tls-dir", folder.at("alone/a.crt")], /cannot read '.*a\.crt': it is not a folder/],
    [
      ["--tls-dir", folder.at("empty")],
      /--tls-dir: there is no certificate in '.*': put NAME\.crt/,
    ],
    [["--tls-dir", folder.at("keys")], /in '.*': 'a\.key' is there without 'a\.crt'/],
    [["--tls-dir", folder.at("live")], /'x\/privkey\.pem' is there without 'x\/fullchain\.pem'/],
    [["--tls-dir", folder.at("above")], /'fullchain\.pem' is looked for .*: name the folder above/],
    [["--tls-dir", folder.at("links")], /cannot read '.*x\/fullchain\.pem': there is no such file/],
    [["--tls-dir", folder.at("alone")], /--tls-dir cannot read '.*a\.key': there is no such file/],
    [["--tls-dir", folder.at("mixed")], /--tls-dir: the private key in '.*a\.key' is not that of/],
    [
      ["--tls-dir", folder.path, "--tls-self-signed"],
      /Options --tls-dir and --tls-self-signed exclude each other/,
    ],
    [
      ["--tls-dir", folder.path, "--tls-cert", "a.pem"],
      /Options --tls-cert and --tls-dir exclude each other/,
    ],
  ];
  for (const [args, why] of cases) assertFailed(await runServer([...args, "-q"]), 2, why);
});
