// The files of a server's certificates, read again and again.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateFiles, type Certificates } from "../../../lib/cli/serving/certificate_files.ts";
import { lastDay, outOfDate } from "../../../lib/cli/serving/certificate_dates.ts";
import { followCertificates } from "../../../lib/cli/serving/certificate_reload.ts";
import { VirtualClock } from "../../../lib/base/virtual_clock.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import { test } from "../../support/runner.deno.ts";

/** A folder of certificates that is removed at the end. */
class Folder {
  readonly path = mkdtempSync(join(tmpdir(), "certificates-"));
  readonly files = new CertificateFiles({
    keyPair: { dir: { option: "tls-dir", file: this.path } },
  });

  at(name: string): string {
    return join(this.path, name);
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) writeFileSync(this.at(name), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

test("certificate files: of two with one NAME each stays as it was, and is there once", async () => {
  const [one, two] = [await selfSigned(["one.test"]), await selfSigned(["two.test"])];
  using folder = new Folder();
  mkdirSync(folder.at("a"));
  folder.write({
    "a.crt": one.cert,
    "a.key": one.key,
    "a/fullchain.pem": two.cert,
    "a/privkey.pem": two.key,
  });
  const first = folder.files.read();
  const certs = first.keyPairs.map(({ cert }) => cert);
  assert.deepEqual(certs, [one.cert, two.cert]);
  folder.write({ "a.key": "" });
  let certificates = first;
  for (let i = 0; i < 3; i++) {
    const again = folder.files.readAgain(certificates);
    assert.equal(again.problems.length, 1);
    certificates = again.certificates;
    assert.deepEqual(certificates.keyPairs.map(({ cert }) => cert), certs);
  }
});

test("certificate files: only what has changed is read, unless all is asked for", async () => {
  const [one, two] = [await selfSigned(["one.test"]), await selfSigned(["two.test"])];
  using folder = new Folder();
  folder.write({ "a.crt": one.cert, "a.key": one.key, "b.crt": two.cert, "b.key": two.key });
  const first = folder.files.read();
  const again = (certificates: Certificates, all = false) =>
    folder.files.readAgain(certificates, all);
  const same = again(first);
  assert.deepEqual(same.problems, []);
  assert.ok(same.certificates.keyPairs.every((pair, i) => pair === first.keyPairs[i]));
  folder.write({ "b.crt": "" });
  const broken = again(same.certificates);
  assert.equal(broken.problems.length, 1);
  assert.ok(broken.certificates.keyPairs.every((pair, i) => pair === first.keyPairs[i]));
  // One that could not be read is read each time: the reason may not be in its file.
  assert.equal(again(broken.certificates).problems.length, 1);
  folder.write({ "b.crt": one.cert, "b.key": one.key });
  const { certificates: mended } = again(broken.certificates);
  assert.equal(mended.keyPairs[0], first.keyPairs[0]);
  assert.equal(mended.keyPairs[1].cert, one.cert);
  assert.ok(
    again(mended, true).certificates.keyPairs.every((pair, i) => pair !== mended.keyPairs[i]),
  );
});

test("certificate files: the log names what has changed, and ten at most", async () => {
  const pair = await selfSigned(["one.test"]);
  using folder = new Folder();
  const add = (name: string) => {
    folder.write({ [`${name}.crt`]: pair.cert, [`${name}.key`]: pair.key });
  };
  for (let i = 10; i < 22; i++) add(`c${i}`);
  const clock = new VirtualClock();
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  let reload = () => {};
  const stops: (() => void)[] = [];
  followCertificates(folder.files, folder.files.read(), {
    clock,
    log: { note, error: note },
    onReload: (fn) => reload = fn,
    onEnd: (stop) => void stops.push(stop),
  });
  add("new");
  for (let i = 0; i < 4; i++) await clock.advance(1000);
  const until = `valid until ${lastDay([{ ...pair, name: "", file: "" }])}`;
  const named = Array.from({ length: 10 }, (_, i) => `c${i + 10}`).join(", ");
  reload();
  assert.deepEqual(notes, [
    `read again 1 certificate (new), ${until}`,
    `read again 13 certificates (${named}, and 3 more), ${until}`,
  ]);
  stops.forEach((stop) => stop());
});

test("certificate files: a certificate is out of date before its first day and after its last", async () => {
  const pair = { ...await selfSigned(["one.test"]), name: "one", file: "one.crt" };
  const year = 366 * 24 * 60 * 60 * 1000;
  const now = Date.now();
  assert.deepEqual(outOfDate([pair, pair], now), []);
  assert.deepEqual(outOfDate([pair], now + year), [
    `The certificate 'one' expired on ${lastDay([pair])}: clients refuse it. Renew it.`,
  ]);
  const [early] = outOfDate([pair, pair], now - year);
  assert.match(
    early,
    /^The certificate 'one' is not valid before \d{4}-\d\d-\d\d: clients refuse it/,
  );
});

test("certificate files: a pipe in a folder is refused, and not waited for", async () => {
  for (const part of ["crt", "key"] as const) {
    using folder = new Folder();
    const { cert, key } = await selfSigned(["one.test"]);
    folder.write({ "one.crt": cert, "one.key": key });
    rmSync(folder.at(`one.${part}`));
    execFileSync("mkfifo", [folder.at(`one.${part}`)]);
    assert.throws(
      () => folder.files.read(),
      new RegExp(
        `^UsageError: Option --tls-dir cannot read '.*/one\\.${part}' again: it is a pipe`,
      ),
    );
  }
});
