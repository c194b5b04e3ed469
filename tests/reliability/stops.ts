// Servers that stop, in good order or killed, while clients are at it.

import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { Random } from "../../lib/base/random.ts";
import { deferred } from "../../lib/base/wait.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { makeSite, type Site } from "../support/site_helpers.ts";
import {
  ask,
  connect,
  contentOf,
  ended,
  fetchFrom,
  hear,
  startServing,
  startSubject,
  stillServes,
  type Subject,
} from "./subject.ts";

/** More than the kernel takes for a client that does not read. */
const DOWNLOAD = 16 * 1024 * 1024;

/**
 * Sends SIGTERM while `n` downloads are under way and `n` connections idle. The clients read on only
 * when all idle connections have ended: those do not wait for the downloads. All downloads are whole,
 * and the exit code is 0. Returns how long it took to end the idle connections, in milliseconds.
 */
export async function drain(subject: Subject, n: number): Promise<number> {
  const content = contentOf("big.bin", 1, DOWNLOAD);
  await using site = await makeSite({ "big.bin": content, "small.txt": "small" });
  await using server = await startSubject(subject, ["web", "--grace", "60", site.root]);
  const idle: Conn[] = [];
  for (let i = 0; i < n; i++) {
    const conn = await connect(server);
    idle.push(conn);
    // Half of them have said nothing, and half are kept behind a response.
    if (i % 2 === 0) continue;
    await ask(conn, "GET /small.txt");
    assert.equal((await hear(conn)).body.toString(), "small");
  }
  const goOn = deferred<void>();
  const begun = Array.from({ length: n }, () => deferred<void>());
  const downloads = begun.map(async ({ resolve }) => {
    using conn = await connect(server);
    await ask(conn, "GET /big.bin");
    return await hear(conn, () => (resolve(), goOn.promise));
  });
  await Promise.all(begun.map(({ promise }) => promise));
  const start = performance.now();
  server.program.kill("SIGTERM");
  await Promise.all(idle.map(ended));
  const took = performance.now() - start;
  goOn.resolve();
  for (const { body, whole } of await Promise.all(downloads)) {
    assert.ok(whole && body.equals(content), "A download is not whole");
  }
  for (const conn of idle) conn.close();
  const exit = await server.program.exit();
  assert.equal(exit.code, 0, exit.stderr);
  return took;
}

/** An upload that a client makes. */
interface Upload {
  readonly name: string;
  /** What is there before, if anything. */
  readonly old: Buffer | undefined;
  readonly content: Buffer;
  acknowledged: boolean;
}

/** Half of them replace a file. */
function uploadsOf(random: Random, n: number): Upload[] {
  return Array.from({ length: n }, (_, i) => ({
    name: `file-${i}`,
    old: i % 2 === 0 ? undefined : contentOf(`file-${i}`, 1, 50_000),
    content: contentOf(`file-${i}`, 2, 1000 + random.integer(400_000)),
    acknowledged: false,
  }));
}

/** Makes uploads, in pieces and all at once; `onBytes` is called with all that was sent so far. */
async function upload(
  server: { readonly port: number },
  uploads: readonly Upload[],
  onBytes: (sent: number) => void,
): Promise<void> {
  let sent = 0;
  await Promise.all(uploads.map(async (upload) => {
    const { name, content } = upload;
    using conn = await connect(server).catch(() => undefined);
    if (conn === undefined) return;
    const answer = hear(conn);
    try {
      await ask(conn, `PUT /${name}`, `Content-Length: ${content.length}`);
      for (let at = 0; at < content.length; at += 16_384) {
        await conn.write(content.subarray(at, at + 16_384));
        onBytes(sent += Math.min(16_384, content.length - at));
      }
    } catch {
      // It was killed. A response that came before counts.
    }
    upload.acknowledged = [201, 204].includes((await answer).status);
  }));
}

/** Asserts that what was acknowledged is there, and that all else is the file before or after. */
function checkUploads(site: Site, uploads: readonly Upload[]): void {
  const names = readdirSync(site.root).filter((name) => !name.startsWith("."));
  for (const { name, old, content, acknowledged } of uploads) {
    const is = names.includes(name) ? readFileSync(site.path(name)) : undefined;
    const isNew = is?.equals(content) === true;
    if (acknowledged) assert.ok(isNew, `${name} was acknowledged, and is not there`);
    const isOld = old === undefined ? is === undefined : is?.equals(old) === true;
    assert.ok(isNew || isOld, `${name} looks whole, and is not`);
  }
  const known = new Set(uploads.map(({ name }) => name));
  assert.deepEqual(names.filter((name) => !known.has(name)), []);
}

async function siteFor(uploads: readonly Upload[]): Promise<Site> {
  return await makeSite(Object.fromEntries(
    uploads.flatMap(({ name, old }) => old === undefined ? [] : [[name, old]]),
  ));
}

/**
 * Kills a server with SIGKILL in the middle of uploads, at a byte that the seed says. The files are
 * checked, and a server that is started anew shows nothing of what was left behind.
 */
export async function killServer(subject: Subject): Promise<void> {
  const random = new Random(subject.seed, 1);
  const uploads = uploadsOf(random, 12);
  const total = uploads.reduce((sum, { content }) => sum + content.length, 0);
  const mark = random.integer(total);
  await using site = await siteFor(uploads);
  const args = ["web", "--upload", "--dotfiles", site.root];
  {
    await using server = await startSubject(subject, args);
    await upload(server, uploads, (sent) => {
      if (sent > mark) server.program.kill("SIGKILL");
    });
  }
  checkUploads(site, uploads);
  await using server = await startServing(subject, args);
  const listing = await fetchFrom(server, "GET /", "Accept: application/json");
  assert.doesNotMatch(listing.body.toString(), /plainsocket-upload/);
  for (const name of readdirSync(site.root).filter((name) => name.startsWith("."))) {
    assert.equal((await fetchFrom(server, `GET /${name}`)).status, 404, name);
  }
  const again = uploads.map((upload) => ({ ...upload, acknowledged: false }));
  await upload(server, again, () => {});
  assert.ok(again.every(({ acknowledged }) => acknowledged), "It takes no uploads any more");
  checkUploads(site, again);
}

/** The processes that a process has started. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(
      Number,
    )
  );
}

/**
 * Kills all workers with SIGKILL in the middle of uploads: those of the web server itself, or those of a
 * relay in front of it. What was acknowledged is there, and new workers carry on.
 */
async function killWorkersOf(kind: "web" | "relay", subject: Subject): Promise<void> {
  const random = new Random(subject.seed, kind === "web" ? 2 : 6);
  const uploads = uploadsOf(random, 12);
  const total = uploads.reduce((sum, { content }) => sum + content.length, 0);
  let mark = random.integer(total);
  await using site = await siteFor(uploads);
  const workers = ["--host", "127.0.0.1", "--workers", "2"];
  await using web = kind === "web"
    ? undefined
    : await startServing(subject, ["web", "--upload", site.root]);
  const args = web === undefined
    ? ["web", "--upload", site.root]
    : ["relay", "--to", `127.0.0.1:${web.port}`];
  await using front = await startSubject(subject, [...args, ...workers]);
  await upload(front, uploads, (sent) => {
    if (sent <= mark) return;
    mark = Infinity;
    for (const pid of childrenOf(front.program.pid)) process.kill(pid, "SIGKILL");
  });
  await front.program.stderr.until(/(^worker \d \(pid \d+\) is ready$[^]*){4}/m);
  checkUploads(site, uploads);
  await stillServes(front);
}

/** Kills the workers of a relay; see {@linkcode killWorkersOf}. */
export function killRelayWorkers(subject: Subject): Promise<void> {
  return killWorkersOf("relay", subject);
}

/** Kills the workers of a web server; see {@linkcode killWorkersOf}. */
export function killWebWorkers(subject: Subject): Promise<void> {
  return killWorkersOf("web", subject);
}
