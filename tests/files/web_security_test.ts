import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { spread } from "../support/cases.ts";
import { test } from "../support/runner.deno.ts";
import { type Site, siteOf } from "./web_helpers.ts";

const SECRET = "the secret";

/** A site with a secret beside its root, in a folder whose name starts like that of the root. */
async function besideSecret(): Promise<Site> {
  const site = await siteOf({ "index.html": "home", "sub/a.txt": "inside", "x/y/z.txt": "deep" });
  writeFileSync(join(site.folder, "secret.txt"), SECRET);
  mkdirSync(join(site.folder, "root2"));
  writeFileSync(join(site.folder, "root2", "secret.txt"), SECRET);
  return site;
}

test("no spelling of a path leads out of the root", async () => {
  await using site = await besideSecret();
  const dots = [
    "..",
    "%2e%2e",
    "%2E%2e",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "..%00",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "..;",
    "...",
    "....",
    "..%20",
    "..%09",
    "%u002e%u002e",
    "%uff0e%uff0e",
    "%ef%bc%8e%ef%bc%8e",
  ];
  const separators = [
    "/",
    "%2f",
    "%2F",
    "\\",
    "%5c",
    "//",
    "/./",
    "%252f",
    "%255c",
    "%c0%af",
    "%c1%9c",
    "%e0%80%af",
    "%u2215",
    "%ef%bc%8f",
    "/%2f",
  ];
  const targets: string[] = [];
  for (const dot of dots) {
    for (const separator of separators) {
      for (const start of ["/", "//", "/sub/", "/x/y/", "http://a/", ""]) {
        for (const name of ["secret.txt", `root2${separator}secret.txt`]) {
          targets.push(`${start}${dot}${separator}${name}`);
          targets.push(`${start}sub${separator}${dot}${separator}${dot}${separator}${name}`);
        }
      }
    }
  }
  const absolute = join(site.folder, "secret.txt");
  targets.push(absolute, `/${absolute}`, `//${absolute}`, `file://${absolute}`);
  targets.push(absolute.replaceAll("/", "%2f"), `/~root${absolute}`, `/C:${absolute}`);
  for (const target of spread(targets)) {
    const { status, text } = await site.ask(target);
    assert.ok(!text.includes(SECRET), target);
    assert.ok(status === 400 || status === 404, `${target}: ${status}`);
  }
  assert.deepEqual(site.errors, []);
});

test("the target decides, and no field of the request", async () => {
  await using site = await besideSecret();
  const { text } = await site.ask("/", {
    "X-Original-URL": "/../secret.txt",
    "X-Rewrite-URL": "/../secret.txt",
    "X-Forwarded-Prefix": "/..",
  });
  assert.equal(text, "home");
});

test("links are followed inside the root, and not out of it", async () => {
  await using site = await besideSecret();
  const link = (name: string, to: string) => symlinkSync(to, join(site.root, name));
  link("inside.txt", "sub/a.txt");
  link("inside", "sub");
  link("chain.txt", "inside/a.txt");
  link("absolute.txt", join(site.root, "sub", "a.txt"));
  link("there-and-back.txt", "../root/sub/a.txt");
  link("out.txt", "../secret.txt");
  link("out-absolute.txt", join(site.folder, "secret.txt"));
  link("out", "..");
  link("root2", "../root2");
  link("slash", "/");
  link("dangling.txt", "none");
  link("loop.txt", "loop.txt");
  link("chain-out.txt", "out.txt");
  link("self", ".");
  for (
    const [target, status] of [
      ["/inside.txt", 200],
      ["/inside/a.txt", 200],
      ["/chain.txt", 200],
      ["/absolute.txt", 200],
      ["/there-and-back.txt", 200],
      ["/self/self/sub/a.txt", 200],
      ["/inside", 301],
      ["/out.txt", 404],
      ["/out-absolute.txt", 404],
      ["/out", 404],
      ["/out/", 404],
      ["/out/secret.txt", 404],
      ["/out/root/sub/a.txt", 200], // it comes back in, as there-and-back.txt does
      ["/root2/", 404],
      ["/root2/secret.txt", 404],
      ["/slash/etc/passwd", 404],
      ["/dangling.txt", 404],
      ["/loop.txt", 404],
      ["/chain-out.txt", 404],
    ] as const
  ) {
    for (const method of ["GET", "HEAD"]) {
      const answer = await site.ask(target, {}, method);
      assert.equal(answer.status, status, `${method} ${target}`);
      assert.ok(!answer.text.includes(SECRET));
    }
  }
});

test("an index.html, a 404.html and siblings that are links out of the root are not there", async () => {
  await using site = await siteOf({ "a.txt": "original", "dir/x": "" });
  writeFileSync(join(site.folder, "secret.txt"), SECRET);
  for (const name of ["dir/index.html", "404.html", "a.txt.gz", "a.txt.br"]) {
    symlinkSync(join(site.folder, "secret.txt"), join(site.root, name));
  }
  for (const target of ["/dir/", "/none", "/a.txt", "/a.txt.gz"]) {
    const { status, text, headers } = await site.ask(target, { "Accept-Encoding": "br, gzip" });
    assert.equal(status, target === "/a.txt" ? 200 : 404, target);
    assert.ok(!text.includes(SECRET), target);
    assert.equal(headers["content-encoding"], undefined);
  }
});

test("the root may be a link, and lead elsewhere later", async () => {
  await using site = await siteOf({});
  for (const release of ["r1", "r2"]) {
    mkdirSync(join(site.folder, release));
    writeFileSync(join(site.folder, release, "a.txt"), release);
  }
  const current = join(site.folder, "current");
  symlinkSync("r1", current);
  const clock = new VirtualClock();
  const handler = fileHandler(current, { clock });
  const get = async () => {
    const response = await handler({ method: "GET", target: "/a.txt", headers: [] } as never);
    return String(response.body);
  };
  assert.equal(await get(), "r1");
  symlinkSync("r2", `${current}.new`);
  renameSync(`${current}.new`, current);
  await clock.advance(1000);
  assert.equal(await get(), "r2");
});

test("what becomes a link out of the root is not served any more", async () => {
  await using site = await siteOf({ "a.txt": "inside", "dir/b.txt": "inside" });
  mkdirSync(join(site.folder, "out"));
  for (const name of ["a.txt", "b.txt"]) writeFileSync(join(site.folder, "out", name), SECRET);
  for (const target of ["/a.txt", "/dir/b.txt"]) assert.equal((await site.ask(target)).status, 200);
  rmSync(join(site.root, "a.txt"));
  symlinkSync(join(site.folder, "out", "a.txt"), join(site.root, "a.txt"));
  rmSync(join(site.root, "dir"), { recursive: true });
  symlinkSync(join(site.folder, "out"), join(site.root, "dir"));
  await site.clock.advance(1000);
  for (const target of ["/a.txt", "/dir/b.txt"]) {
    const { status, text } = await site.ask(target);
    assert.equal(status, 404);
    assert.ok(!text.includes(SECRET));
  }
});

test("special files are 404, and are not waited for", async () => {
  await using site = await siteOf({ "a.html": "text", "dir/x": "", "dev/x": "" });
  for (const name of ["fifo", "dir/index.html", "404.html", "a.html.gz"]) {
    execFileSync("mkfifo", [join(site.root, name)]);
  }
  for (const target of ["/fifo", "/dir/", "/dir/index.html", "/none", "/404.html"]) {
    for (const method of ["GET", "HEAD"]) {
      assert.equal((await site.ask(target, {}, method)).status, 404, target);
    }
  }
  assert.equal((await site.ask("/a.html", { "Accept-Encoding": "gzip" })).text, "text");
  // Inside, as it were: a device of the root "/dev".
  const handler = fileHandler("/dev");
  for (const name of ["null", "zero", "tty"]) {
    const request = { method: "GET", target: `/${name}`, headers: [], header: () => undefined };
    assert.equal((await handler(request as never)).status, 404, name);
  }
});

test("the case of a name counts, as it does on disk", async () => {
  await using site = await siteOf({ "Secret.txt": "a" });
  assert.equal((await site.ask("/Secret.txt")).status, 200);
  for (
    const target of [
      "/SECRET.TXT",
      "/secret.txt",
      "/Secret.txt.",
      "/Secret.txt%20",
      "/Secret.txt::$DATA",
    ]
  ) {
    assert.equal((await site.ask(target)).status, 404, target);
  }
});
