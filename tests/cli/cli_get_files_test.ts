// Where `get -o` writes: names of any length, and folders in which somebody else has been first.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { partOf } from "../../lib/cli/commands/get/own_file.ts";
import { remoteName } from "../../lib/cli/commands/get/request.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { spread } from "../support/cases.ts";
import { type Exit, Program, runProgram } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";
import {
  assertFailed,
  inShell,
  InTurn,
  inTurnCommand,
  programCommand,
  runClient,
  startClient,
} from "../support/scripts.ts";
import { TestClock } from "../support/test_clock.ts";

const CONTENT = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));

/** A server of one file that knows ranges; it breaks off after so many bytes, once each. */
async function withOrigin(
  breaks: number[],
  fn: (url: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const asked: string[] = [];
  const answer = async (conn: Conn) => {
    let head = "";
    const buffer = Buffer.alloc(4096);
    for (let n; !head.includes("\r\n\r\n") && (n = await conn.read(buffer)) !== null;) {
      head += buffer.toString("latin1", 0, n);
    }
    if (head === "") return;
    const from = Number(/^Range: bytes=(\d+)-\r$/m.exec(head)?.[1] ?? 0);
    asked.push(/^GET (\S+)/.exec(head)![1] + (from === 0 ? "" : ` from ${from}`));
    const range = `Content-Range: bytes ${from}-99999/100000\r\n`;
    const status = from === 0 ? "200 OK\r\n" : `206 Partial Content\r\n${range}`;
    const length = CONTENT.length - from;
    const fields = `ETag: "one"\r\nContent-Length: ${length}\r\n`;
    await conn.write(Buffer.from(`HTTP/1.1 ${status}${fields}\r\n`));
    await conn.write(CONTENT.subarray(from, from + (breaks.shift() ?? length)));
    await conn.closeWrite();
    // Until the client has read all, so that no RST overtakes the bytes.
    while (await conn.read(buffer) !== null);
  };
  const serve = async () => {
    for await (const conn of listener) {
      // A client that cannot write what comes leaves.
      await answer(conn).catch((error) => assert.ok(error instanceof SocketError, String(error)));
      conn.close();
    }
  };
  const served = serve().catch((error) => assert.ok(error instanceof SocketError, String(error)));
  try {
    await fn(`http://127.0.0.1:${(listener.addr as TcpAddr).port}`, asked);
  } finally {
    listener.close();
    await served;
  }
}

async function withDir(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-get-"));
  try {
    await fn(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Runs `get` in a folder of its own, with a server that breaks off so often. */
function getting(
  breaks: number[],
  fn: (dir: string, url: string, asked: string[]) => Promise<void>,
): Promise<void> {
  return withOrigin(breaks, (url, asked) => withDir((dir) => fn(dir, url, asked)));
}

function get(...args: string[]): Promise<Exit> {
  return runClient(["get", ...args]);
}

function assertGot({ code, stderr }: Pick<Exit, "code" | "stderr">, file: string): void {
  assert.equal(code, 0, stderr);
  assert.ok(readFileSync(file).equals(CONTENT), file);
}

const isRoot = process.platform !== "win32" && process.getuid?.() === 0;
const SOMEBODY_ELSE = 12_345;

// Names.

/** Names of `n` bytes, of letters and of characters of several bytes. */
function namesOf(n: number): string[] {
  const ends = ["é", "€", "𝄞"].map((char) => {
    const bytes = Buffer.byteLength(char);
    return "a".repeat(n % bytes) + char.repeat(Math.floor(n / bytes));
  });
  return ["a".repeat(n), `${"b".repeat(n - 4)}.iso`, ...ends];
}

test("get -o: a name of up to 255 bytes can be had, broken off, gone on with, and set aside", async () => {
  for (const name of spread([255, 254, 251, 250, 247, 246, 245, 244].flatMap(namesOf))) {
    await getting([30_000, 20_000], async (dir, url, asked) => {
      const file = join(dir, name);
      assertFailed(
        await get("-o", file, url),
        18,
        /30000 bytes, is kept .*; -C goes on from there/,
      );
      assert.equal(readdirSync(dir).length, 2);
      for (const side of readdirSync(dir)) assert.ok(Buffer.byteLength(side) <= 255, side);
      assertFailed(await get("-C", "-o", file, url), 18, /50000 bytes/);
      assertGot(await get("-C", "-o", file, url), file);
      assert.deepEqual(readdirSync(dir), [name]);
      assert.deepEqual(asked, ["/", "/ from 30000", "/ from 50000"]);
      writeFileSync(partOf(file), "something else");
      assertGot(await get("-o", file, url), file);
      assert.equal(readFileSync(`${partOf(file)}.1`, "utf8"), "something else");
      assert.equal(readdirSync(dir).length, 2);
    });
  }
});

test("get -o: a name that is too long is told before anything is asked for", () =>
  getting([], async (dir, url, asked) => {
    for (const name of namesOf(256)) {
      assertFailed(await get("-o", join(dir, name), url), 23, /the name is too long .* -o FILE\.$/);
    }
    const long = `${"a".repeat(200)}/`.repeat(25);
    assertFailed(await get("-o", join(dir, long, "file"), url), 23, /the name is too long/);
    const command = [...programCommand("client"), "get", "-O"];
    const exit = await runProgram(
      inShell(`cd '${dir}' && "$@"`, [...command, `${url}/${"a".repeat(300)}`]),
    );
    assertFailed(exit, 23, /the name is too long .* -o FILE\.$/);
    assert.deepEqual([asked, readdirSync(dir)], [[], []]);
  }));

test("get -O: a name of 246 to 255 bytes can be had, too", () =>
  getting([], async (dir, url) => {
    const names = [246, 255].map((length) =>
      "é".repeat((length - length % 2) / 2) + "a".repeat(length % 2)
    );
    const urls = names.map((name) => `${url}/${encodeURIComponent(name)}`);
    assert.deepEqual(urls.map((url) => remoteName(new URL(url))), names);
    const lines = urls.map((url) => ["client", "get", "-O", url]);
    await using all = new InTurn(new Program(inShell(`cd '${dir}' && "$@"`, inTurnCommand(lines))));
    for (const [i, exit] of (await all.exits()).entries()) assertGot(exit, join(dir, names[i]));
    assert.deepEqual(readdirSync(dir).sort(), names.sort());
  }));

test("get -o: two long names that begin alike have parts of their own", () => {
  const start = "a".repeat(250);
  const parts = ["b", "c", "bb", "cb"].map((end) => partOf(`/x/${start}${end}`));
  assert.equal(new Set(parts).size, parts.length);
  for (const part of parts) assert.match(basename(part), /^a{200,}~[0-9a-f]{16}\.part$/);
  assert.equal(partOf(`/x/${"a".repeat(245)}`), `/x/${"a".repeat(245)}.part`);
  assert.equal(partOf("file"), "file.part");
});

// What others have put there.

test("get -o: links that somebody has planted beside FILE are not followed", async () => {
  for (const target of ["victim", "not-there"]) {
    for (const side of ["file.part", "file.part.json", "file.part.1"]) {
      for (const breaks of [[], [30_000]]) {
        await getting(breaks, async (dir, url) => {
          mkdirSync(join(dir, "safe"));
          writeFileSync(join(dir, "safe", "victim"), "safe");
          symlinkSync(join(dir, "safe", target), join(dir, side));
          if (side === "file.part.1") writeFileSync(join(dir, "file.part"), "something else");
          const file = join(dir, "file");
          for (const args of [[], ["-C"], []]) {
            const exit = await get(...args, "-o", file, url);
            if (side === "file.part") {
              assertFailed(
                exit,
                23,
                /file\.part: it is a link\. Remove it, or choose another FILE\.$/,
              );
              assert.ok(lstatSync(join(dir, side)).isSymbolicLink());
            } else if (exit.code !== 18) assertGot(exit, file);
          }
          assert.deepEqual(readdirSync(join(dir, "safe")), ["victim"]);
          assert.equal(readFileSync(join(dir, "safe", "victim"), "utf8"), "safe");
          if (side === "file.part.1") {
            assert.ok(lstatSync(join(dir, side)).isSymbolicLink());
            assert.equal(readFileSync(join(dir, "file.part.2"), "utf8"), "something else");
          }
        });
      }
    }
  }
});

test("get -o: a record that is a link is not believed", () =>
  getting([], async (dir, url, asked) => {
    const file = join(dir, "file");
    writeFileSync(`${file}.part`, CONTENT.subarray(0, 1000));
    writeFileSync(join(dir, "theirs"), JSON.stringify({ url: `${url}/`, validator: '"one"' }));
    symlinkSync(join(dir, "theirs"), `${file}.part.json`);
    assertGot(await get("-C", "-o", file, url), file);
    assert.deepEqual(asked, ["/"]);
    assert.deepEqual(readdirSync(dir).sort(), ["file", "theirs"]);
    assert.match(readFileSync(join(dir, "theirs"), "utf8"), /validator/);
  }));

test("get -o: only a regular file of one's own, with no other name, is taken for a part", () =>
  getting([], async (dir, url, asked) => {
    const part = join(dir, "file.part");
    const refused = async (why: RegExp) => {
      for (const args of [[], ["-C"]]) {
        assertFailed(await get(...args, "-o", join(dir, "file"), url), 23, why, /Remove it, or/);
      }
      rmSync(part, { recursive: true });
    };
    writeFileSync(join(dir, "other"), "other");
    linkSync(join(dir, "other"), part);
    await refused(/file\.part: it has another name as well\./);
    assert.equal(readFileSync(join(dir, "other"), "utf8"), "other");
    mkdirSync(part);
    await refused(/file\.part: it is not a regular file\./);
    // Nobody reads the other end of it, so that opening it to write would wait for ever.
    await runProgram(["mkfifo", part]);
    await refused(/file\.part: it is not a regular file\./);
    if (isRoot) {
      writeFileSync(part, CONTENT.subarray(0, 10));
      chownSync(part, SOMEBODY_ELSE, SOMEBODY_ELSE);
      await refused(/file\.part: it belongs to somebody else\./);
    }
    assert.deepEqual([asked, readdirSync(dir)], [[], ["other"]]);
  }));

test("get -o: what stands where the record goes is replaced, but for a folder", () =>
  getting([], async (dir, url) => {
    const [file, record] = [join(dir, "file"), join(dir, "file.part.json")];
    mkdirSync(record);
    assertFailed(await get("-o", file, url), 23, /file\.part\.json: it is a folder/);
    rmSync(record, { recursive: true });
    await runProgram(["mkfifo", record]);
    assertGot(await get("-C", "-o", file, url), file);
    writeFileSync(record, "[");
    assertGot(await get("-C", "-o", file, url), file);
    assert.deepEqual(readdirSync(dir), ["file"]);
  }));

/** Breaks off, does something while the client waits to try again, and lets it. */
async function meanwhile(
  change: (part: string) => void,
  args: (file: string) => string[],
  fn: (exit: Exit, dir: string) => void,
): Promise<void> {
  await getting([30_000], async (dir, url) => {
    const clock = new TestClock();
    const file = join(dir, "file");
    writeFileSync(join(dir, "victim"), "safe");
    const command = ["get", "--retry", "1", ...args(file), url];
    await using client = startClient(command, { clock });
    await client.stderr.until(/Trying again in 1 s \(1 of 1\)\.\n$/);
    await clock.asked(1000);
    change(`${file}.part`);
    await clock.advance(1000);
    fn(await client.exit(), dir);
    assert.equal(readFileSync(join(dir, "victim"), "utf8"), "safe");
  });
}

test("get -o: a part that becomes a link between two attempts is not followed", () =>
  meanwhile(
    (part) => {
      renameSync(part, `${part}.gone`);
      symlinkSync(join(part, "..", "victim"), part);
    },
    (file) => ["-o", file],
    (exit, dir) => {
      assert.equal(exit.code, 23, exit.stderr);
      assert.match(exit.stderr, /file\.part: it is a link\. Remove it/);
      assert.ok(!existsSync(join(dir, "file")));
    },
  ));

test("get -o: a part that another program writes to is not made a mixture of", () =>
  meanwhile(
    (part) => writeFileSync(part, "theirs", { flag: "a" }),
    (file) => ["-o", file],
    (exit, dir) => {
      assert.equal(exit.code, 23, exit.stderr);
      assert.match(
        exit.stderr,
        /file\.part: somebody else has changed it, from 30000 to 30006 bytes\./,
      );
      assert.ok(!existsSync(join(dir, "file")));
    },
  ));

test("get -o: FILE may be a link of one's own, and none that somebody else has made", () =>
  getting([], async (dir, url, asked) => {
    const [file, link] = [join(dir, "file"), join(dir, "link")];
    writeFileSync(file, "old");
    symlinkSync(file, link);
    assertGot(await get("-o", link, url), file);
    assert.ok(lstatSync(link).isSymbolicLink());
    rmSync(file);
    // It leads nowhere: then it is what is replaced.
    assertGot(await get("-o", link, url), link);
    assert.ok(lstatSync(link).isFile());
    assert.deepEqual(readdirSync(dir), ["link"]);
    symlinkSync("around", join(dir, "around"));
    assertFailed(await get("-o", join(dir, "around"), url), 23, /links lead in circles/);
    if (!isRoot) return;
    writeFileSync(file, "safe");
    for (const target of [file, join(dir, "not-there")]) {
      rmSync(link);
      symlinkSync(target, link);
      lchownSync(link, SOMEBODY_ELSE, SOMEBODY_ELSE);
      assertFailed(
        await get("-o", link, url),
        23,
        /link: it is a link that somebody else has made\./,
      );
    }
    assert.equal(readFileSync(file, "utf8"), "safe");
    assert.deepEqual(readdirSync(dir).sort(), ["around", "file", "link"]);
    assert.equal(asked.length, 2);
  }));

test("get -o: a pipe that the shell has opened is written to by its number", () =>
  getting([], async (_dir, url) => {
    const command = [...programCommand("client"), "get", "-o", "/dev/fd/3", url];
    const exit = await runProgram(inShell(`{ "$@" 3>&1 >/dev/null; } | cat`, command));
    assert.equal(exit.code, 0, exit.stderr);
    assert.ok(exit.stdout.equals(CONTENT));
  }));

test("get -o: what others could not read is not theirs to read when it is replaced", () =>
  getting([30_000], async (dir, url) => {
    const file = join(dir, "file");
    writeFileSync(file, "secret");
    chmodSync(file, 0o600);
    assertFailed(await get("-o", file, url), 18);
    assert.equal(statSync(`${file}.part`).mode & 0o777, 0o600);
    assertGot(await get("-C", "-o", file, url), file);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    // Its owner has to write to the part.
    chmodSync(file, 0o400);
    assertGot(await get("-o", file, url), file);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  }));
