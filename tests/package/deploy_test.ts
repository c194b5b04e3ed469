// What is in deploy/: each file is right by the tools it is for, and what it starts serves.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { validate as deployment } from "kubernetes-models/_schemas/IoK8sApiAppsV1Deployment";
import { validate as service } from "kubernetes-models/_schemas/IoK8sApiCoreV1Service";
import { validate as budget } from "kubernetes-models/_schemas/IoK8sApiPolicyV1PodDisruptionBudget";
import { parse, parseAllDocuments } from "yaml";
import { OWN_HOST } from "../support/helpers.ts";
import { Program, runProgram } from "../support/peers.ts";
import { UNSHARE_MOUNTS } from "../support/programs.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { inShell, listening, startServer } from "../support/scripts.ts";
import { makeSite } from "../support/site_helpers.ts";

const UNIT = "deploy/plainsocket-web.service";

function read(name: string): string {
  return readFileSync(name, "utf8");
}

/** The lines of the Containerfile that begin with a word, without it. */
function instructions(word: string): string[] {
  return [...read("deploy/Containerfile").matchAll(new RegExp(`^${word} (.*)$`, "gm"))]
    .map(([, rest]) => rest);
}

/** The command of a unit or a container as it runs here: on ports that are free, and on loopback. */
function here(command: readonly string[], folder: string, site: string): string[] {
  return command.map((word) =>
    word === ""
      ? OWN_HOST
      : word.replace(/^(8080|9464)$/, "0").replace(/^\/srv\/www$|\/site$/, site)
        .replace(/^\/app\//, `${folder}/`)
  );
}

/** Starts or runs Deno in a folder. */
function deno(folder: string, args: readonly string[]): string[] {
  // A Deno that sees its own path in the arguments of a child adds -A behind it.
  return inShell(`cd '${folder}' && exec "$RUNTIME" "$@"`, args);
}

const OPTIONS = { env: { RUNTIME: process.execPath } };

/** The checks of Kubernetes, by kind. They look at the fields that it knows, and pass over others. */
const CHECKS = {
  Deployment: deployment as Check,
  PodDisruptionBudget: budget as Check,
  Service: service as Check,
};

type Check = typeof deployment & { readonly errors?: unknown };

interface Manifest {
  readonly kind: keyof typeof CHECKS;
}

function manifests(): Manifest[] {
  return parseAllDocuments(read("deploy/kubernetes.yaml")).map((document) => document.toJS());
}

// deno-lint-ignore no-explicit-any
function podOfDeployment(): any {
  const found = manifests().find(({ kind }) => kind === "Deployment");
  return (found as unknown as { spec: { template: { spec: unknown } } }).spec.template.spec;
}

/** The commands by which Kubernetes and compose ask whether the server is well. */
function probes(): string[][] {
  const [container] = podOfDeployment().containers;
  const [how, ...healthcheck] = parse(read("deploy/compose.yaml")).services.site.healthcheck.test;
  assert.equal(how, "CMD");
  const ofPod = ["startupProbe", "readinessProbe", "livenessProbe"];
  return [...ofPod.map((name) => container[name].exec.command), healthcheck];
}

/** The same, which notes the paths of what is read of it. */
function noting<T extends object>(value: T, seen: Set<string>, path = ""): T {
  return new Proxy(value, {
    get(target, key) {
      const found = Reflect.get(target, key);
      const below = `${path}/${String(key)}`;
      seen.add(below);
      return found !== null && typeof found === "object" ? noting(found, seen, below) : found;
    },
  });
}

/** The paths of all that is in a value. */
function paths(value: unknown, path = ""): string[] {
  if (value === null || typeof value !== "object") return [path];
  return Object.entries(value).flatMap(([key, below]) => paths(below, `${path}/${key}`));
}

if (runtime === "Deno") {
  test("deploy: systemd finds no fault with the unit, and calls it safe", () => {
    const folder = mkdtempSync(join(tmpdir(), "plainsocket-"));
    try {
      const unit = join(folder, basename(UNIT));
      // The program is not installed here.
      writeFileSync(unit, read(UNIT).replace(/^(ExecStart=)\S+/m, "$1/bin/true"));
      for (
        const args of [["verify", unit], [
          "security",
          "--offline=yes",
          "--threshold=20",
          "--no-pager",
          unit,
        ]]
      ) {
        const { status, stdout, stderr } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
        assert.equal(status, 0, stdout + stderr);
        if (args[0] === "verify") assert.equal(stderr, "");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, ["systemd-analyze"]);

  test("deploy: what the unit starts serves", async () => {
    await using site = await makeSite({ "a.txt": "text" });
    const [, line] = /^ExecStart=\S+ server (.*)$/m.exec(read(UNIT))!;
    await using server = await startServer(here(line.split(" "), "", site.root));
    assert.equal(await (await fetch(`${server.url}a.txt`)).text(), "text");
  });

  test("deploy: what the Containerfile copies is enough to serve, and the probes of the others pass", async () => {
    await using site = await makeSite({ "a.txt": "text" });
    const app = mkdtempSync(join(tmpdir(), "plainsocket-"));
    try {
      for (const line of instructions("COPY")) {
        const [target, ...sources] = line.split(" ").reverse();
        for (const source of sources) {
          const isFolder = target.endsWith("/");
          cpSync(source, isFolder ? join(app, target, basename(source)) : join(app, target), {
            recursive: true,
          });
        }
      }
      const [cache] = instructions("RUN");
      const cached = await runProgram(deno(app, cache.split(" ").slice(1)), OPTIONS);
      assert.equal(cached.code, 0, cached.stderr);
      const command = [...instructions("ENTRYPOINT"), ...instructions("CMD")].flatMap((line) =>
        JSON.parse(line) as string[]
      );
      const [, ...args] = here(command, app, site.root);
      await using server = await listening(new Program(deno(app, args), OPTIONS));
      assert.equal(await (await fetch(`${server.url}a.txt`)).text(), "text");
      const [, port] = await server.program.stderr.until(/127\.0\.0\.1:(\d+)\/metrics/);
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      assert.match(metrics, /^http_server_request_duration_seconds_count\{.*\} 1$/m);
      for (const probe of probes()) {
        const [, ...args] = probe.map((word) => word.replace("/app", app).replace("9464", port));
        const { code, stderr } = await runProgram(deno(app, args), OPTIONS);
        assert.equal(code, 0, stderr);
      }
      assert.equal((await server.program.stop()).code, 0);
    } finally {
      rmSync(app, { recursive: true });
    }
  });

  test("deploy: the containers have no root, no rights, and a file system that is read-only", () => {
    assert.deepEqual(instructions("FROM"), [`denoland/deno:${read(".dvmrc").trim()}`]);
    assert.deepEqual(instructions("USER"), ["65532:65532"]);
    const { site } = parse(read("deploy/compose.yaml")).services;
    assert.deepEqual(
      [site.read_only, site.user, site.cap_drop, site.security_opt],
      [true, "65532:65532", ["ALL"], ["no-new-privileges:true"]],
    );
    const pod = podOfDeployment();
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.deepEqual(pod.containers[0].securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  test("deploy: the server is process 1 of its container, and SIGTERM has it finish", async () => {
    await using site = await makeSite({ "a.txt": "text" });
    const [entry, command] = [instructions("ENTRYPOINT"), instructions("CMD")].map(([line]) =>
      JSON.parse(line) as string[]
    );
    const [, ...args] = here([...entry, ...command], process.cwd(), site.root);
    const container = [...UNSHARE_MOUNTS, "--pid", "--fork", "--mount-proc"];
    const program = new Program([...container, ...deno(process.cwd(), args)], OPTIONS);
    await using server = await listening(program);
    assert.equal(await (await fetch(`${server.url}a.txt`)).text(), "text");
    const [child] = read(`/proc/${program.pid}/task/${program.pid}/children`).trim().split(" ");
    assert.match(read(`/proc/${child}/status`), /^NSpid:.*\t1$/m);
    // A process 1 that does not handle it does not get it.
    process.kill(Number(child), "SIGTERM");
    const { code, stderr } = await program.exit();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /stopped after 1 connection/);
  }, ["mount-namespaces"]);

  test("deploy: the limits leave room for a server under attack with a probe beside it", () => {
    const { memory, pids } =
      parse(read("deploy/compose.yaml")).services.site.deploy.resources.limits;
    const [{ resources }] = podOfDeployment().containers;
    assert.equal(resources.limits.memory, memory.replace("M", "Mi"));
    // As `deno task attack` allows, and what a probe takes.
    assert.ok(parseInt(memory) >= 512 + 64, memory);
    assert.ok(pids >= 256);
  });

  test("deploy: the manifests are what Kubernetes takes, and it knows each of their fields", () => {
    const all = manifests();
    assert.deepEqual(all.map(({ kind }) => kind).sort(), Object.keys(CHECKS).sort());
    for (const manifest of all) {
      const seen = new Set<string>();
      const check = CHECKS[manifest.kind];
      assert.ok(check(noting(manifest, seen)), JSON.stringify(check.errors));
      assert.deepEqual(paths(manifest).filter((path) => !seen.has(path)), [], manifest.kind);
    }
  });
}
