// The permissions that each server needs of Deno, and of `node --permission`: those that
// docs/operate.md names, no more and no less.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { readTable } from "../support/doc_table.ts";
import { OWN_HOST, readAll } from "../support/helpers.ts";
import { type Exit, Program, type ProgramOptions, PYTHON, runProgram } from "../support/peers.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { asNobody } from "../support/privileges.ts";
import {
  assertFailed,
  inShell,
  InTurn,
  inTurnCommand,
  listening,
  programCommand,
} from "../support/scripts.ts";

const IS_DENO = runtime === "Deno";
const MAJOR = Number(process.versions.node.split(".")[0]);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What Node always needs: to read our code, and the packages that it imports. */
const NODE: readonly string[] = [
  MAJOR >= 24 ? "--permission" : "--experimental-permission",
  `--allow-fs-read=${ROOT}`,
  `--allow-fs-read=${join(ROOT, "../node_modules")}`,
];

/** A row of the table: the command line behind `server.ts`, and the flags that it needs. */
interface Job {
  readonly args: readonly string[];
  readonly flags: readonly string[];
}

function jobsOfDocument(): Job[] {
  const column = IS_DENO ? 1 : 2;
  const ofAll = IS_DENO || MAJOR < 25 ? [] : ["--allow-net"];
  return [...readTable("docs/operate.md", "## Permissions")].map(([first, cells]) => {
    const [[job], flags] = [first, [...cells.values()][column - 1]].map((cell) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => atFreePorts(text))
    );
    const [name, ...rest] = job.split(" ");
    const host = name === "web" ? ["--host", OWN_HOST] : [];
    return { args: [name, ...host, ...rest], flags: [...ofAll, ...flags] };
  });
}

/** The addresses of the document, where no other test is. Metrics are at 127.0.0.1 only. */
function atFreePorts(text: string): string {
  return text.replace(/127\.0\.0\.1(?!:9464)/g, OWN_HOST).replace(/\b9464$/, "0");
}

const OPTIONS: ProgramOptions = {
  // Nobody listens there: systemd-notify says so once it may run.
  env: { RUNTIME: process.execPath, NOTIFY_SOCKET: "/nonexistent/notify" },
};

/** What a server logs that goes on without a permission, for these flags. A relay needs a client for it. */
const GOES_ON: readonly (readonly [flags: RegExp, line: RegExp])[] = [
  [/:4222$/, /^bus .*away.*$/m],
  [/systemd-notify$|child-process$/, /^Cannot notify systemd: .*$/m],
];

/** Makes the file of a socket. */
function leaveSocket(path: string): void {
  const program = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])";
  const [file, ...args] = [...PYTHON, "-c", program, path];
  if (!existsSync(path)) spawnSync(file, args);
}

/** Runs `fn` with what starts `server.ts` in a folder that has what the table names. */
async function withFolder(
  fn: (
    command: (flags: readonly string[], args: readonly string[]) => string[],
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    const { cert, key } = await selfSigned(["localhost"]);
    writeFileSync(join(folder, "a.crt"), cert);
    writeFileSync(join(folder, "a.key"), key);
    mkdirSync(join(folder, "public"));
    await fn((flags, args) => {
      const [, ...rest] = programCommand("server", ["--no-prompt", ...flags]);
      const all = IS_DENO ? rest : [...NODE, ...flags, ...rest];
      // A Deno that sees its own path in the arguments of a child adds -A behind it.
      // A socket that nobody listens at any more, as a server leaves that was killed.
      leaveSocket(join(folder, "a.sock"));
      // What is in /run in the document is here.
      const [ours, theirs] = [all, args].map((list) =>
        list.map((text) => text.replace("/run/", `${folder}/`))
      );
      return inShell(`cd '${folder}' && exec "$RUNTIME" "$@"`, [...ours, ...theirs]);
    }, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Without its warnings that a flag is experimental, stderr of Node is ours. */
function withoutWarnings({ stderr, ...rest }: Exit): Exit {
  return {
    ...rest,
    stderr: stderr.replace(/^\(.*\n/gm, "").replaceAll("plainsocket server:", "server.ts:"),
  };
}

/** A relay finds out what it may not when a client comes. */
async function relayed(program: Program): Promise<string> {
  const [, port] = await program.stdout.until(/:(\d+)\n/);
  using conn = await systemTransport.connect({ host: OWN_HOST, port: Number(port) });
  await conn.closeWrite();
  await readAll(conn).catch(() => {});
  const [line] = await program.stderr.until(/^.*Cannot connect to .*$/m);
  return line;
}

test(
  "permissions: each server runs with the flags that docs/operate.md names for its job",
  () =>
    withFolder(async (command) => {
      const jobs = jobsOfDocument();
      assert.ok(jobs.length > 5);
      for (const { args, flags } of jobs) {
        await using server = await listening(
          new Program(command(flags, args), OPTIONS),
          /^(\S+)\n/,
        );
        const { program } = server;
        if (args[0] === "relay") assert.match(await relayed(program), /ECONNREFUSED/);
        if (args.includes("--metrics")) {
          const [, url] = await program.stderr.until(/metrics at (\S+)\n/);
          assert.match(await (await fetch(url)).text(), /^# (?:HELP|TYPE) /m);
        }
        if (args.includes("--systemd")) {
          const [line] = await program.stderr.until(/^Cannot notify systemd: .*$/m);
          assert.match(line, /ended with code 1: Failed to notify/);
        }
        const { code, stderr } = await program.stop();
        assert.equal(code, 0, stderr);
      }
    }),
  ["python3", "systemd-notify"],
);

test(
  "permissions: without one of them, a server ends with a line that names it",
  () =>
    withFolder(async (command) => {
      let tried = 0;
      for (const { args, flags } of jobsOfDocument()) {
        for (const flag of flags) {
          tried++;
          const left = flags.filter((other) => other !== flag);
          if (flag.endsWith(":9000")) {
            await using program = new Program(command(left, args), OPTIONS);
            assert.ok((await relayed(program)).includes(flag));
            continue;
          }
          const [, logged] = GOES_ON.find(([flags]) => flags.test(flag)) ?? [];
          if (logged !== undefined) {
            await using program = new Program(command(left, args), OPTIONS);
            const [line] = await program.stderr.until(logged);
            assert.ok(line.includes(flag), line);
            continue;
          }
          const exit = withoutWarnings(await runProgram(command(left, args), OPTIONS));
          const last = exit.stderr.trimEnd().split("\n").at(-1)!;
          assert.match(last, /^server\.ts: .*permissions? (?:forbid it|to read the environment)/);
          assert.ok(last.includes(flag.replace(/\/run\/.*/, "")), `${flag} in ${last}`);
          assert.equal(
            exit.code,
            flag.startsWith("--allow-net") || args.includes("--unix") ? 7 : 2,
          );
        }
      }
      assert.ok(tried > 5);
    }),
  ["python3", "systemd-notify"],
);

test("permissions: a folder of certificates may be read, and what its links lead to outside of it", () =>
  withFolder(async (command, folder) => {
    const live = join(folder, "live/localhost");
    mkdirSync(live, { recursive: true });
    symlinkSync("../../a.crt", join(live, "fullchain.pem"));
    symlinkSync("../../a.key", join(live, "privkey.pem"));
    const net = IS_DENO || MAJOR >= 25 ? ["--allow-net"] : [];
    const read = `${IS_DENO ? "--allow-read" : "--allow-fs-read"}=${join(folder, "live")}`;
    const args = ["echo", "--host", OWN_HOST, "--port", "0", "--tls-dir", "live"];
    await using program = new Program(command([...net, read], args), OPTIONS);
    await program.stdout.until(/^tls:/);
  }));

if (IS_DENO) {
  test("permissions: a name is allowed without a port, and Deno's error says so", () =>
    withFolder(async (command) => {
      const [name, address] = ["--allow-net=localhost", "--allow-net=127.0.0.1:0"];
      const args = ["echo", "--port", "0"];
      await using program = new Program(command([name, address], args), OPTIONS);
      await program.stdout.until(/^tcp:/);
      assertFailed(
        await runProgram(command([address], args), OPTIONS),
        7,
        /without --allow-net=localhost /,
      );
      assertFailed(
        await runProgram(command([name], args), OPTIONS),
        7,
        /without --allow-net=127\.0\.0\.1:0 /,
      );
    }));
} else {
  test("permissions: what workers need of Node is named", () =>
    withFolder(async (command) => {
      const net = MAJOR < 25 ? [] : ["--allow-net"];
      const args = ["echo", "--host", OWN_HOST, "--port", "0", "--workers", "1"];
      const exit = withoutWarnings(await runProgram(command(net, args), OPTIONS));
      assertFailed(exit, 7, /forbid it without --allow-child-process \(ENOTCAPABLE\)/);
      await using program = new Program(command([...net, "--allow-child-process"], args), OPTIONS);
      await program.stdout.until(/^tcp:/);
      const threads = withoutWarnings(
        await runProgram(command(net, [...args, "--worker-kind", "threads"]), OPTIONS),
      );
      assertFailed(threads, 7, /--allow-worker \(ENOTCAPABLE\)|Node has from 22\.12/);
    }));
}

/** The folder of Deno's packages. */
function cacheOfDeno(): string {
  const { DENO_DIR, XDG_CACHE_HOME = join(homedir(), ".cache") } = process.env;
  return DENO_DIR ?? join(XDG_CACHE_HOME, "deno");
}

/** Starts command lines as nobody, in turn. The folder is called `${base}/1`. */
function startAsNobody(
  base: string,
  folder: string,
  lines: readonly (readonly string[])[],
): InTurn {
  const code = IS_DENO ? ROOT : join(ROOT, "..");
  const [path, args] = inTurnCommand(lines).slice(-2);
  const script = join(base, "3", relative(code, path));
  const mounts = [folder, process.execPath, code, ...IS_DENO ? [cacheOfDeno()] : []];
  const run = IS_DENO ? [`DENO_DIR=${base}/4`, `${base}/2`, "run", "-A"] : [`${base}/2`];
  const { command, env } = asNobody(base, mounts, ["env", ...run, script, args]);
  return new InTurn(new Program(command, { env }));
}

test(
  "permissions: as nobody, where no file can be written to, each server runs",
  () =>
    withFolder(async (_command, folder) => {
      chmodSync(folder, 0o755);
      writeFileSync(join(folder, "public/a.txt"), "text");
      const base = join(folder, "base");
      mkdirSync(base);
      const servers = [["echo"], ["chat"], ["relay", "--to", `${OWN_HOST}:9000`], ["web"]];
      const lines = servers.map(([name, ...more], i) => {
        const place = ["--host", OWN_HOST, "--port", String(9001 + i)];
        return ["server", name, ...more, ...place, ...name === "web" ? [`${base}/1`] : []];
      });
      const upload = ["server", "web", "--upload", `${base}/1`, "--host", OWN_HOST];
      // The client stays until it is stopped, and so do the servers.
      const client = ["client", "connect", `${OWN_HOST}:9001`];
      const all = [...lines, upload, client];
      await using scripts = startAsNobody(base, join(folder, "public"), all);
      // The first to end is the one that fails.
      await scripts.ended(1);
      const state = readFileSync(`/proc/${scripts.program.pid}/status`, "utf8");
      assert.match(state, /^CapEff:\t0+$/m);
      assert.doesNotMatch(state, /^Uid:.*\b0\b/m);
      assert.equal(await (await fetch(`http://${OWN_HOST}:9004/a.txt`)).text(), "text");
      scripts.program.kill("SIGTERM");
      const exits = await scripts.exits();
      for (const [i, { code, stdout, stderr }] of exits.slice(0, lines.length).entries()) {
        assert.equal(code, 0, stderr);
        assert.ok(stdout.includes(`:${9001 + i}`), stdout);
      }
      assertFailed(exits[lines.length], 2, /the file system is read-only/);
    }),
  ["mount-namespaces"],
);
