// Somebody who can write below the root swaps a directory and a link out of it, to and fro, while it is
// read, listed and written to.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { locate, openLocated } from "../../lib/files/located_file.ts";
import { OpenDirectory } from "../../lib/files/open_directory.ts";
import { knowsOpenPaths } from "../../lib/files/real_paths.ts";
import { siteHandler } from "../../lib/files/site.ts";
import { share } from "../support/cases.ts";
import { Program, PYTHON } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";
import { type Answer, ask, makeSite, type Question, type Site } from "../support/site_helpers.ts";

const SECRET = "the secret";
/** Too large to be held in memory. */
const LARGE = 100_000;

/** A root with a directory, and outside of it one with the same names and others. */
async function besideSecret(): Promise<Site> {
  const site = await makeSite();
  for (const [directory, text] of [["root/dir", "inside"], ["outside", SECRET]]) {
    mkdirSync(site.path(directory), { recursive: true });
    writeFileSync(join(site.path(directory), "small.txt"), `${text} 1`.padEnd(20));
    writeFileSync(join(site.path(directory), "large.bin"), text.padEnd(LARGE));
    writeFileSync(join(site.path(directory), `${text}.txt`), "");
  }
  symlinkSync("../outside", site.path("root/link"));
  return site;
}

/** With the pauses, a swap falls between two steps of the server more often. */
const SWAP = `
import os, sys, time
os.chdir(sys.argv[1])
print("swapping", flush=True)
while True:
    os.rename("dir", "away"); os.rename("link", "dir")
    time.sleep(0.00002)
    os.rename("dir", "link"); os.rename("away", "dir")
    time.sleep(0.00002)
`;

/** Swaps the directory and the link until it is disposed of. */
async function swapping(site: Site): Promise<AsyncDisposable> {
  const program = new Program([...PYTHON, "-c", SWAP, site.path("root")]);
  await program.stdout.until(/swapping/);
  return program;
}

const QUESTIONS: readonly Question[] = [
  { target: "/dir/small.txt" },
  { target: "/dir/large.bin" },
  { target: "/dir/large.bin", headers: { Range: "bytes=0-20" } },
  { target: "/dir/", headers: { Accept: "application/json" } },
  { target: "/dir/" },
];

if (knowsOpenPaths()) {
  test("swap: nothing outside of the root is read or listed", async () => {
    await using site = await besideSecret();
    const handler = siteHandler(site.path("root"));
    await using _swapping = await swapping(site);
    const inside = new Set<Question>();
    for (let i = 0; i < share(300) || inside.size < QUESTIONS.length; i++) {
      for (const question of QUESTIONS) {
        const answer = await attempt(() => ask(handler, question));
        if (answer === undefined) continue;
        assert.ok(!answer.text.includes(SECRET), question.target);
        if (answer.status < 300 && answer.text.includes("inside")) inside.add(question);
      }
    }
  }, ["python3"]);

  test("swap: nothing outside of the root is written", async () => {
    await using site = await besideSecret();
    const before = readdirSync(site.path("outside"));
    const handler = siteHandler(site.path("root"), { upload: true });
    await using _swapping = await swapping(site);
    let written = 0;
    for (let i = 0; i < share(300) || written < 10; i++) {
      const put = { method: "PUT", target: `/dir/${i}`, body: [Buffer.from("new")] };
      const replace = { ...put, target: "/dir/small.txt" };
      const form = {
        method: "POST",
        target: "/dir/",
        headers: { "Content-Type": "multipart/form-data; boundary=x" },
        body: [Buffer.from(
          `--x\r\nContent-Disposition: form-data; name=a; filename=form${i}\r\n\r\nnew\r\n--x--\r\n`,
        )],
      };
      for (const question of [put, replace, form]) {
        const answer = await attempt(() => ask(handler, question));
        if (answer !== undefined && answer.status < 400) written++;
      }
      assert.deepEqual(readdirSync(site.path("outside")), before);
    }
    assert.match(readFileSync(site.path("outside/small.txt"), "utf8"), /the secret/);
  }, ["python3"]);

  test("a directory that is held open is that one, whatever takes its place", async () => {
    await using site = await besideSecret();
    const root = site.path("root");
    await using directory = await OpenDirectory.open(await locate(root, join(root, "dir")));
    renameSync(join(root, "dir"), join(root, "away"));
    renameSync(join(root, "link"), join(root, "dir"));
    await directory.confirm();
    assert.ok(readdirSync(directory.path).includes("inside.txt"));
    writeFileSync(join(directory.path, "new.txt"), "");
    assert.ok(readdirSync(join(root, "away")).includes("new.txt"));
    assert.ok(!readdirSync(site.path("outside")).includes("new.txt"));
  });
}

test("what has been located is not opened through a link that has taken its place", async () => {
  await using site = await besideSecret();
  const root = site.path("root");
  const file = await locate(root, join(root, "dir", "large.bin"));
  const directory = await locate(root, join(root, "dir"));
  renameSync(join(root, "dir"), join(root, "away"));
  renameSync(join(root, "link"), join(root, "dir"));
  await assert.rejects(openLocated(file), { name: "ChangedError" });
  await assert.rejects(openLocated(file, true), { name: "ChangedError" });
  await assert.rejects(OpenDirectory.open(directory));
  rmSync(join(root, "dir"));
  await assert.rejects(openLocated(file), { code: "ENOENT" });
});

/** What a handler answers; what it throws, as it may for what is gone on the way, is no answer. */
async function attempt(work: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
