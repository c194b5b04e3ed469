// Disks that are full, and files that change, while clients are at it.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Random } from "../../lib/base/random.ts";
import { until } from "../support/helpers.ts";
import { runProgram } from "../support/peers.ts";
import { inShell } from "../support/scripts.ts";
import { makeSite } from "../support/site_helpers.ts";
import {
  ask,
  connect,
  contentOf,
  fetchFrom,
  hear,
  startServing,
  startSubject,
  stillServes,
  type Subject,
} from "./subject.ts";

const MIB = 1024 * 1024;

/** Sends a body as long as the server takes it, and returns the status of the response. */
async function send(
  server: { readonly port: number },
  line: string,
  body: Uint8Array,
  ...fields: readonly string[]
): Promise<number> {
  using conn = await connect(server);
  const answer = hear(conn);
  const sending = ask(conn, line, `Content-Length: ${body.length}`, ...fields)
    .then(() => conn.write(body));
  // A server that refuses need not take all of it.
  sending.catch(() => {});
  return (await answer).status;
}

function formOf(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const parts = Object.entries(files).flatMap(([name, content]) => [
    `--x\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\n`,
    content,
    "\r\n",
  ]);
  return Buffer.concat([...parts, "--x--\r\n"].map((part) => Buffer.from(part as string)));
}

/**
 * Fills the disk of a server by uploads: each that finds no room is refused with 507, and leaves
 * nothing, nor does it harm the file that it was to replace. The server goes on, its log is on the
 * same disk, and what fits is taken. It needs a mount namespace of its own.
 */
export async function fillDisk(subject: Subject): Promise<void> {
  const kept = contentOf("kept", 1, 1.5 * MIB);
  const large = contentOf("large", 1, 6 * MIB);
  await using site = await makeSite();
  const mounting = 'mount -t tmpfs -o size=4m none "$0" && exec "$@" 2>>"$0/.log"';
  await using server = await startSubject(
    subject,
    ["web", "--upload", site.root],
    (command) => ["unshare", "-rm", "sh", "-c", mounting, site.root, ...command],
  );
  const disk = `/proc/${server.program.pid}/root${site.root}`;
  assert.equal(await send(server, "PUT /kept", kept), 201);
  const form = "Content-Type: multipart/form-data; boundary=x";
  const statuses = await Promise.all([
    send(server, "PUT /large", large),
    send(server, "PUT /kept", large),
    send(server, "PUT /another", large),
    send(server, "POST /", formOf({ a: large }), form),
  ]);
  assert.deepEqual(statuses, [507, 507, 507, 507]);
  const both = formOf({ a: large, b: Buffer.from("small") });
  assert.equal(await send(server, "POST /", both, form), 507);
  assert.equal(await send(server, "PUT /small", Buffer.from("small")), 201);
  assert.deepEqual(readdirSync(disk).sort(), [".log", "b", "kept", "small"]);
  assert.ok(readFileSync(join(disk, "kept")).equals(kept), "The file was harmed");
  assert.ok((await fetchFrom(server, "GET /kept")).body.equals(kept));
  // Nothing is left for the log.
  writeFileSync(join(disk, ".filler"), new Uint8Array(2 * MIB));
  assert.throws(() => appendFileSync(join(disk, ".filler"), new Uint8Array(4 * MIB)));
  for (let i = 0; i < 100; i++) await stillServes(server);
  assert.equal((await server.program.stop()).code, 0);
}

/**
 * Uploads a file that is larger than the server may write: 413, and nothing is left. Whoever starts the
 * server ignores SIGXFSZ: the kernel would end Deno by it, and Node ignores it anyway.
 */
export async function passFileLimit(subject: Subject): Promise<void> {
  await using site = await makeSite();
  // 1 MiB, in blocks of 512 bytes.
  await using server = await startSubject(
    subject,
    ["web", "--upload", site.root],
    (command) => inShell(`trap '' XFSZ; ulimit -f 2048; exec "$@"`, command),
  );
  assert.equal(await send(server, "PUT /large", contentOf("large", 1, 2 * MIB)), 413);
  assert.deepEqual(readdirSync(site.root), []);
  assert.equal(await send(server, "PUT /small", contentOf("small", 1, MIB / 2)), 201);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Changes of a file while it is sent: what the client then gets is a version of it, or not whole. */
const CHANGES: Readonly<Record<string, (path: string, next: Buffer, at: number) => void>> = {
  vanishes: (path) => rmSync(path),
  shrinks: (path, _next, at) => truncateSync(path, at),
  grows: (path, next) => appendFileSync(path, next),
  "is written anew in its place": (path, next) => writeFileSync(path, next),
  "is replaced": (path, next) => {
    rmSync(path);
    writeFileSync(path, next);
  },
};

/** More than the kernel takes for a client that does not read. */
const LARGE = 16 * MIB;

/** The same for a client that waits: the server has read a part of the file, and not the rest. */
const LATE_CHANGES: Readonly<Record<string, (path: string, next: Buffer) => void>> = {
  vanishes: (path) => rmSync(path),
  shrinks: (path) => truncateSync(path, LARGE - MIB),
  grows: (path, next) => appendFileSync(path, next),
  "is written anew and shorter": (path, next) => writeFileSync(path, next.subarray(0, -MIB)),
  "is written anew, as long": (path, next) => writeFileSync(path, next.subarray(0, LARGE)),
  "is written anew and longer": (path, next) => writeFileSync(path, next),
  "is replaced": (path, next) => {
    writeFileSync(`${path}.new`, next);
    renameSync(`${path}.new`, path);
  },
};

/**
 * Changes files while clients that have read the beginning wait. What they get then is the file as it
 * was, or not whole. A file that vanishes, grows or is replaced is sent as it was.
 */
export async function changeLate(subject: Subject): Promise<void> {
  const changes = Object.keys(LATE_CHANGES);
  const names = changes.map((change) => change.replaceAll(/\W+/g, "-"));
  const before = names.map((name) => Buffer.alloc(LARGE, `${name} before\n`));
  await using site = await makeSite(
    Object.fromEntries(names.map((name, i) => [name, before[i]])),
  );
  await using server = await startServing(subject, ["web", site.root]);
  for (const [i, change] of changes.entries()) {
    const start = i % 2 * 1000;
    using conn = await connect(server);
    await ask(conn, `GET /${names[i]}`, ...(start > 0 ? [`Range: bytes=${start}-`] : []));
    const { status, body, whole } = await hear(conn, () => {
      LATE_CHANGES[change](site.path(names[i]), Buffer.alloc(LARGE + 1000, `${names[i]} after\n`));
      return Promise.resolve();
    });
    assert.equal(status, start > 0 ? 206 : 200);
    assert.equal(whole, ["vanishes", "grows", "is replaced"].includes(change), `It ${change}`);
    if (whole) assert.ok(body.equals(before[i].subarray(start)), `It ${change}: a mixture`);
  }
  await stillServes(server);
}

/**
 * Has curl download files that change meanwhile, at bytes that the seed says. A download that curl
 * takes for whole is the file before or after.
 */
export async function changeFiles(subject: Subject): Promise<void> {
  const random = new Random(subject.seed, 3);
  const changes = Object.keys(CHANGES);
  const names = changes.map((change) => change.replaceAll(" ", "-"));
  const version = (name: string, n: number) => contentOf(name, n, 3 * MIB + (n - 1) * 1000);
  await using site = await makeSite(
    Object.fromEntries(names.map((name) => [name, version(name, 1)])),
  );
  await using copies = await makeSite();
  await using server = await startServing(subject, ["web", site.root]);
  await Promise.all(changes.map(async (change, i) => {
    const name = names[i];
    const rate = String(MIB * (4 + random.integer(64)));
    const url = `http://127.0.0.1:${server.port}/${name}`;
    const copy = copies.path(name);
    const [moment, at] = [random.integer(2 * MIB), random.integer(3 * MIB)];
    let isOver = false;
    const curl = runProgram(["curl", "-fsS", "--limit-rate", rate, "-o", copy, url])
      .finally(() => isOver = true);
    await until(() => isOver || sizeOf(copy) >= moment, "curl to get on");
    CHANGES[change](site.path(name), version(name, 2), at);
    const { code } = await curl;
    if (code !== 0) return;
    const got = readFileSync(copy);
    const before = version(name, 1);
    const after = existsSync(site.path(name)) ? readFileSync(site.path(name)) : before;
    // While a file is written in its place, that is the beginning of the new one.
    const isBeginning = change.includes("in its place") &&
      after.subarray(0, got.length).equals(got);
    const isRight = got.equals(before) || got.equals(after) || isBeginning;
    assert.ok(isRight, `A file that ${change}: curl takes ${got.length} bytes for whole`);
  }));
  await stillServes(server);
}
