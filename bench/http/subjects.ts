/**
 * The web servers that are measured, and with what.
 *
 * @module
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { install } from "../../scripts/runtimes.ts";
import { ROOT } from "../../scripts/program.ts";
import { BIN, buildForNode, node, tool } from "../common/tools.ts";

/** A server to measure. */
export interface Subject {
  /** For `--only`. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** Whether it serves files, or says hello. */
  readonly serves: "files" | "hello";
  /** The command that serves `dir` on a port of 127.0.0.1. Throws {@linkcode Missing}. */
  readonly command: (port: number, dir: string) => string[] | Promise<string[]>;
}

/** One kind of load. */
export interface LoadCase {
  /** For `--case`. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** What servers it is for. */
  readonly of: Subject["serves"];
  /** What is asked for. */
  readonly path: string;
  /** On how many connections. */
  readonly connections: number;
  /** The bytes of the file, if there is one. */
  readonly size?: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** The cases of load. */
export const CASES: readonly LoadCase[] = [
  { name: "hello", title: "hello, 64 connections", of: "hello", path: "/", connections: 64 },
  {
    name: "hello-1000",
    title: "hello, 1,000 connections",
    of: "hello",
    path: "/",
    connections: 1000,
  },
  { name: "1k", title: "1 KiB file", of: "files", path: "/1k.html", connections: 64, size: KIB },
  {
    name: "64k",
    title: "64 KiB file",
    of: "files",
    path: "/64k.html",
    connections: 64,
    size: 64 * KIB,
  },
  {
    name: "256m",
    title: "256 MiB file",
    of: "files",
    path: "/256m.bin",
    connections: 4,
    size: 256 * MIB,
  },
];

/** What npm has to give. */
const PACKAGES = {
  "@hono/node-server": "2.1.8",
  hono: "4.13.19",
  "http-server": "14.1.1",
  serve: "14.2.7",
  "sirv-cli": "3.0.1",
};

async function npmBin(name: string): Promise<string> {
  const dir = join(BIN, "npm");
  await install(dir, PACKAGES);
  return join(dir, "node_modules", ".bin", name);
}

const server = (name: string) => join(import.meta.dirname!, "servers", name);
const deno = () => [Deno.execPath(), "run", "-A", "--no-check"];

async function ourNode(major: number): Promise<string> {
  await buildForNode();
  return await node(major);
}

/** One worker, the files held open, and no log. */
function nginx(port: number, dir: string): string[] {
  const prefix = join(BIN, "nginx");
  mkdirSync(prefix, { recursive: true });
  const config = join(prefix, "nginx.conf");
  writeFileSync(
    config,
    `worker_processes 1; daemon off; pid ${prefix}/pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000;
  open_file_cache max=1000; open_file_cache_valid 1s; etag on;
  types { text/html html; }
  client_body_temp_path ${prefix}; proxy_temp_path ${prefix}; fastcgi_temp_path ${prefix};
  uwsgi_temp_path ${prefix}; scgi_temp_path ${prefix};
  server {
    listen 127.0.0.1:${port} backlog=4096; root ${dir};
    location = / { default_type text/plain; return 200 "Hello, World!"; }
  }
}
`,
  );
  return tool("nginx", "-p", prefix, "-c", config);
}

function onNode(major: number): Subject[] {
  return [{
    name: `web-node${major}`,
    title: `plainsocket web on Node ${major}`,
    serves: "files",
    command: async (port, dir) => [
      await ourNode(major),
      join(ROOT, ".node/package/out/server.js"),
      ...["web", dir, "--port", String(port), "-q"],
    ],
  }, {
    name: `light-node${major}`,
    title: `serveLight() on Node ${major}`,
    serves: "hello",
    command: async (port) => [await ourNode(major), server("light-node.mjs"), String(port)],
  }, {
    name: `request-node${major}`,
    title: `serveHttp() on Node ${major}`,
    serves: "hello",
    command: async (port) => [await ourNode(major), server("request-node.mjs"), String(port)],
  }, {
    name: `http-node${major}`,
    title: `node:http on Node ${major}`,
    serves: "hello",
    command: async (port) => [await node(major), server("http-node.mjs"), String(port)],
  }, {
    name: `hono-node${major}`,
    title: `@hono/node-server on Node ${major}`,
    serves: "hello",
    command: async (port) => {
      await npmBin("");
      return [await node(major), server("hono-node.mjs"), join(BIN, "npm"), String(port)];
    },
  }];
}

/** All servers, in the order of the tables. */
export const SUBJECTS: readonly Subject[] = [
  { name: "nginx", title: "nginx, one worker", serves: "files", command: nginx },
  { name: "nginx-hello", title: "nginx, one worker", serves: "hello", command: nginx },
  {
    name: "web-deno",
    title: "plainsocket web on Deno",
    serves: "files",
    command: (port, dir) => [
      ...deno(),
      join(ROOT, "server.ts"),
      ...["web", dir, "--port", String(port), "-q"],
    ],
  },
  {
    name: "light-deno",
    title: "serveLight() on Deno",
    serves: "hello",
    command: (port) => [...deno(), server("light-deno.ts"), String(port)],
  },
  {
    name: "request-deno",
    title: "serveHttp() on Deno",
    serves: "hello",
    command: (port) => [...deno(), server("request-deno.ts"), String(port)],
  },
  {
    name: "deno-serve",
    title: "Deno.serve",
    serves: "hello",
    command: (port) => [...deno(), server("serve-deno.ts"), String(port)],
  },
  {
    name: "deno-serve-1k",
    title: "Deno.serve, the file in memory",
    serves: "files",
    command: (port, dir) => [...deno(), server("serve-deno.ts"), String(port), dir],
  },
  ...onNode(20),
  ...onNode(24),
  {
    name: "sirv",
    title: "sirv",
    serves: "files",
    command: async (port, dir) => [
      await node(20),
      await npmBin("sirv"),
      ...[dir, "--quiet", "--host", "127.0.0.1", "--port", String(port)],
    ],
  },
  {
    name: "http-server",
    title: "http-server",
    serves: "files",
    command: async (port, dir) => [
      await node(20),
      await npmBin("http-server"),
      ...[dir, "-s", "-a", "127.0.0.1", "-p", String(port)],
    ],
  },
  {
    name: "serve",
    title: "serve",
    serves: "files",
    command: async (port, dir) => [
      await node(20),
      await npmBin("serve"),
      ...[dir, "-L", "-l", `tcp://127.0.0.1:${port}`],
    ],
  },
  {
    name: "python",
    title: "python -m http.server",
    serves: "files",
    command: (port, dir) => tool("python3", "-c", PYTHON, String(port), dir),
  },
];

/** `python -m http.server` without its log. */
const PYTHON = `
import functools, http.server, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
handler = functools.partial(Quiet, directory=sys.argv[2])
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
`;
