// Checks the npm package that is in `npm/` the way its users meet it: packed, installed into an empty
// folder, imported and run, on the oldest and the newest Node that it is made for.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import config from "../deno.json" with { type: "json" };
import { checkTypes } from "./check_types.ts";
import { DECLARATIONS, MODULES, reachable } from "./npm_code.ts";
import { CODE, COMMANDS, compiledTo, DOCUMENTS, EXPORTS, NAME, PAGES } from "./npm_package.ts";
import { must, Program, type ProgramOptions, ROOT, run } from "./program.ts";
import { Report } from "./report.ts";
import { install, NO_EXTRA_AUTHORITIES, node, type Runtime } from "./runtimes.ts";
import { tokens } from "./tokens.ts";

const DEADLINE_MS = 120_000;

/** How to start a server or a client. */
interface Launch extends ProgramOptions {
  readonly command: readonly string[];
}

/** Checks the package in the folder `npm`. */
async function checkPackage(npm: string, report: Report): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    await report.check("no Deno global is left", () => findDeno(npm));
    await report.check("Node starts its programs", () => findStarters(npm));
    await report.check("its examples import it by its name on npm", () => findNameOnJsr(npm));
    let tarball = "";
    const packed = await report.check(
      "npm packs what its entry points, its types and its commands reach, the page, and no more",
      async () => {
        tarball = await pack(npm, temporary);
      },
    );
    if (!packed) return;
    await report.check("publint is content", () => publint(tarball));
    await report.check("attw is content", () => attw(tarball));

    const dir = join(temporary, "user");
    const installed = await report.check("it installs into an empty folder", () => {
      return install(dir, { [NAME]: `file:${tarball}` });
    });
    if (!installed) return;
    await report.check("it installs 6 packages, itself included", () => {
      assert.equal(packagesBehind(dir, NAME).size, 6);
    });
    await checkTypes(dir, report);
    for (const version of ["20", "26"]) await checkOn(await node(version), dir, report);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The names of a package that is installed and of all that it depends on. */
function packagesBehind(dir: string, name: string, found: Set<string> = new Set()): Set<string> {
  found.add(name);
  const manifest = readFileSync(join(dir, "node_modules", name, "package.json"), "utf8");
  const { dependencies = {} } = JSON.parse(manifest);
  for (const next of Object.keys(dependencies)) {
    if (!found.has(next)) packagesBehind(dir, next, found);
  }
  return found;
}

/** The code and the types of the package, by the names of their files. */
function* sources(npm: string): Generator<[name: string, text: string]> {
  for (const name of readdirSync(join(npm, CODE), { recursive: true, encoding: "utf8" })) {
    if (!/\.(js|d\.ts)$/.test(name)) continue;
    yield [`${CODE}/${name}`, readFileSync(join(npm, CODE, name), "utf8")];
  }
}

function findDeno(npm: string): void {
  const found: string[] = [];
  for (const [name, source] of sources(npm)) {
    if (!source.includes("Deno")) continue; // it need not be parsed
    for (const { text, line } of tokens(source).names) {
      if (text === "Deno") found.push(`${name}:${line}`);
    }
  }
  assert.deepEqual(found, []);
}

function findNameOnJsr(npm: string): void {
  const found = [...sources(npm)].filter(([, text]) => text.includes(`"${config.name}`));
  assert.deepEqual(found.map(([name]) => name), []);
}

async function pack(npm: string, destination: string): Promise<string> {
  const command = ["npm", "pack", "--json", "--pack-destination", destination];
  const [{ filename, files }] = JSON.parse(await must(command, { cwd: npm })) as [
    { filename: string; files: { path: string }[] },
  ];
  const code = join(npm, CODE);
  const pages = PAGES.flatMap((page) =>
    readdirSync(join(ROOT, page)).map((name) => `${page}/${name}`)
  );
  const reached = [...reachable(code, MODULES), ...reachable(code, DECLARATIONS), ...pages];
  assert.deepEqual(
    files.map(({ path }) => path).sort(),
    ["package.json", ...Object.keys(DOCUMENTS), ...reached.map((path) => `${CODE}/${path}`)].sort(),
  );
  return join(destination, filename);
}

/** Nothing is started by Deno, and the commands are started by Node. */
function findStarters(npm: string): void {
  const commands = Object.values(COMMANDS).map((source) => `${CODE}/${compiledTo(source, ".js")}`);
  for (const [name, text] of sources(npm)) {
    const [first] = text.split("\n", 1);
    if (!first.startsWith("#!") && !commands.includes(name)) continue;
    assert.equal(first, "#!/usr/bin/env node", `The first line of ${name}`);
  }
}

/** Installs the checkers of packages; resolves to the folder of their commands. */
async function installCheckers(): Promise<string> {
  const dir = join(ROOT, ".node", "checkers");
  await install(dir, { "@arethetypeswrong/cli": "0.18.5", "publint": "0.3.25" });
  return join(dir, "node_modules", ".bin");
}

async function publint(tarball: string): Promise<void> {
  const command = join(await installCheckers(), "publint");
  await must([command, "run", tarball, "--strict"], { env: NO_EXTRA_AUTHORITIES });
}

async function attw(tarball: string): Promise<void> {
  const command = join(await installCheckers(), "attw");
  // It is for those who import, and for those whose Node takes an ES module by require().
  const flags = ["--ignore-rules", "cjs-resolves-to-esm"];
  await must([command, tarball, ...flags], { env: NO_EXTRA_AUTHORITIES });
}

async function checkOn(node: Runtime, dir: string, report: Report): Promise<void> {
  const env = { ...node.env, ...NO_EXTRA_AUTHORITIES };
  const options = { cwd: dir, env, deadline: DEADLINE_MS };
  await checkExports(node, options, report);

  for (
    const [way, start] of [
      ["npx", (name: string) => ["npx", "--no", "--", name]],
      [".bin", (name: string) => [join(dir, "node_modules", ".bin", name)]],
    ] as const
  ) {
    const launch = (...[name, ...args]: string[]): Launch => ({
      ...options,
      command: [...start(name), ...args],
    });
    for (const name of Object.keys(COMMANDS)) {
      await report.check(
        `${node.name}: ${way} ${name} prints its version and its help`,
        async () => {
          const version = await must(launch(name, "--version").command, options);
          assert.ok(version.includes(config.version), version);
          assert.match(await must(launch(name, "--help").command, options), /plainsocket/);
        },
      );
    }
    await report.check(`${node.name}: ${way} plainsocket server and client converse`, () => {
      return converse(launch("plainsocket", "server"), launch("plainsocket", "client"));
    });
    // npx starts what is in .bin: what else that does is looked at once.
    if (way === "npx") continue;
    await report.check(
      `${node.name}: ${way} plainsocket server and client converse, with workers`,
      () => {
        return converse(launch("plainsocket", "server"), launch("plainsocket", "client"), "2");
      },
    );
    await report.check(`${node.name}: ${way} plainsocket serves a site and gets from it`, () => {
      return download(launch("plainsocket", "server"), launch("plainsocket", "client"), dir);
    });
    const few = (name: string) => ({
      ...options,
      command: [...withFewPermissions(node, dir), name],
    });
    await report.check(`${node.name}: its server and client converse with few permissions`, () => {
      return converse(few("server"), few("client"));
    });
    await report.check(`${node.name}: it serves a site with few permissions`, () => {
      return download(few("server"), few("client"), join(dir, "node_modules", NAME));
    });
    await report.check(`${node.name}: its relay and chat meet with few permissions`, () => {
      return chat(few("server"));
    });
    await report.check(`${node.name}: each of its commands is there`, () => {
      return askHelps(options, start("plainsocket"));
    });
    await report.check(`${node.name}: a bus needs packages that it names`, async () => {
      const bus = ["server", "chat", "--port", "0", "--bus", "nats://127.0.0.1"];
      const { code, output } = await run([...start("plainsocket"), ...bus], options);
      assert.equal(code, 2, output);
      assert.match(
        output,
        /: Cannot load .* npm install @nats-io\/nats-core @nats-io\/jetstream$/m,
      );
    });
    await report.check(`${node.name}: its client and Deno's server converse`, () => {
      return converse(onDeno("server.ts"), launch("plainsocket", "client"));
    });
    await report.check(`${node.name}: its server and Deno's client converse`, () => {
      return converse(launch("plainsocket", "server"), onDeno("client.ts"));
    });
  }
}

/** Checks that each entry point has the names that its source has: one start of Node for all of them. */
async function checkExports(
  node: Runtime,
  options: ProgramOptions,
  report: Report,
): Promise<void> {
  const specifiers = Object.keys(EXPORTS).map((entry) => posix.join(NAME, entry));
  const program = `for (const specifier of ${JSON.stringify(specifiers)}) {
    console.log(JSON.stringify(await import(specifier).then(Object.keys, String)));
  }`;
  const command = [node.path, "--input-type=module", "-e", program];
  const { stdout, output } = await run(command, options);
  const found = stdout.split("\n");
  for (const [i, source] of Object.values(EXPORTS).entries()) {
    const name = `${node.name}: ${specifiers[i]} exports what ${source} exports`;
    await report.check(name, async () => {
      const exported = Object.keys(await import(new URL(source, `file://${ROOT}/`).href));
      assert.ok(found[i], output);
      const names = JSON.parse(found[i]);
      assert.ok(Array.isArray(names), names);
      assert.deepEqual(names.sort(), exported.sort());
    });
  }
}

/** The program with Node's permissions that docs/operate.md names. */
function withFewPermissions({ name, path }: Runtime, dir: string): string[] {
  const flags = name === "Node 20"
    ? ["--experimental-permission"]
    : ["--permission", "--allow-net"];
  const packages = join(dir, "node_modules");
  return [path, ...flags, `--allow-fs-read=${packages}`, join(packages, ".bin", "plainsocket")];
}

function onDeno(script: string): Launch {
  return { command: [Deno.execPath(), "run", "-A", script], deadline: DEADLINE_MS };
}

/** Asks each command that is loaded only when it is named for its help. */
async function askHelps(options: ProgramOptions, plainsocket: readonly string[]): Promise<void> {
  const commands = ["server web", "server relay", "server chat"].concat(
    ["client get", "client connect", "client resolve"],
  );
  for (const command of commands) {
    await must([...plainsocket, ...command.split(" "), "--help"], options);
  }
}

/** Starts the web server on a free port, and has the web client get a file, plain and by TLS. */
async function download(server: Launch, client: Launch, dir: string): Promise<void> {
  for (const flags of [[], ["--tls-self-signed"]]) {
    const web = [...server.command, "web", dir, "--port", "0", ...flags];
    const serving = new Program(web, server);
    try {
      const url = new URL("package.json", await serving.firstLine());
      assert.equal(url.protocol, flags.length === 0 ? "http:" : "https:");
      const content = await must([...client.command, "get", "--insecure", url.href], client);
      assert.equal(content, readFileSync(join(dir, "package.json"), "utf8"));
    } finally {
      await serving.stop();
    }
  }
}

/** Starts a chat with a page and a relay to it, enters by the relay, and gets the page. */
async function chat(server: Launch): Promise<void> {
  const printed = Promise.withResolvers<string[]>();
  let output = "";
  const onOutput = (text: string) => {
    output += text;
    const urls = output.match(/^(?:tcp|http):.*\n/gm);
    if (urls?.length === 2) printed.resolve(urls);
  };
  const start = (args: string[], options = server) =>
    new Program([...server.command, ...args, "--host", "127.0.0.1", "--port", "0"], options);
  const room = start(["chat", "--ws"], { ...server, onOutput });
  const ended = room.ended.then(({ output }) => Promise.reject(new Error(output)));
  let relay: Program | undefined;
  try {
    const [terminals, page] = await Promise.race([printed.promise, ended]);
    relay = start(["relay", "--to", new URL(terminals).host]);
    const { hostname, port } = new URL(await relay.firstLine());
    using conn = await Deno.connect({ hostname, port: Number(port) });
    const { done, value } = await conn.readable.getReader().read();
    assert.match(done ? "" : new TextDecoder().decode(value), /^\* You are guest1/);
    assert.match(await (await fetch(page.trim())).text(), /<!doctype html>/i);
  } finally {
    ended.catch(() => {});
    await relay?.stop();
    await room.stop();
  }
}

/** Starts the server on a free port, and has the client send it a message and print the echo. */
async function converse(server: Launch, client: Launch, workers = "0"): Promise<void> {
  const echo = [...server.command, "echo", "--port", "0", "--workers", workers];
  const serving = new Program(echo, server);
  try {
    const { hostname, port } = new URL(await serving.firstLine());
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const message = "hello, übergröße";
    const command = [...client.command, "echo", message, "--host", host, "--port", port];
    assert.equal(await must(command, client), message);
  } finally {
    await serving.stop();
  }
}

const npm = join(ROOT, "npm");
if (!existsSync(join(npm, "package.json"))) {
  console.error("There is no package in npm/. Run 'deno task build:npm' first.");
  Deno.exit(2);
}
const report = new Report();
await checkPackage(npm, report);
report.end();
