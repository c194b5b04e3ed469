/**
 * The TLS servers that are measured. Each has a file of 1 KiB and one of 100 MB.
 *
 * @module
 */

import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { ROOT } from "../../scripts/program.ts";
import { BIN, buildForNode, node, tool } from "../common/tools.ts";

/** What is served, and as whom. */
export interface Site {
  readonly dir: string;
  /** The paths of the certificate and its key. */
  readonly cert: string;
  readonly key: string;
  /** The certificate itself, in PEM. */
  readonly trusted: string;
}

/** A server to measure. */
export interface Subject {
  /** For `--only`. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** The command that serves `site` on a port of 127.0.0.1. Throws {@linkcode Missing}. */
  readonly command: (port: number, site: Site) => string[] | Promise<string[]>;
}

/** Makes the files, and a certificate with an ECDSA key on P-256. */
export async function makeSite(): Promise<Site> {
  const dir = join(BIN, "tls");
  mkdirSync(dir, { recursive: true });
  const line = "<p>plainsocket: sockets you can see, and speed that can be measured.</p>\n";
  writeFileSync(join(dir, "1k.html"), line.repeat(20).slice(0, 1024));
  writeFileSync(join(dir, "100m.bin"), "");
  truncateSync(join(dir, "100m.bin"), 100e6);
  const own = await selfSigned(["127.0.0.1"]);
  const [cert, key] = [join(BIN, "tls-cert.pem"), join(BIN, "tls-key.pem")];
  writeFileSync(cert, own.cert);
  writeFileSync(key, own.key);
  return { dir, cert, key, trusted: own.cert };
}

/** One worker, the small file held open, no log, and the versions of TLS that the others speak. */
function nginx(port: number, { dir, cert, key }: Site): string[] {
  const prefix = join(BIN, "nginx-tls");
  mkdirSync(prefix, { recursive: true });
  const config = join(prefix, "nginx.conf");
  writeFileSync(
    config,
    `worker_processes 1; daemon off; pid ${prefix}/pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000;
  open_file_cache max=1000; open_file_cache_valid 1s; etag on;
  types { text/html html; }
  client_body_temp_path ${prefix}; proxy_temp_path ${prefix}; fastcgi_temp_path ${prefix};
  uwsgi_temp_path ${prefix}; scgi_temp_path ${prefix};
  server {
    listen 127.0.0.1:${port} ssl backlog=4096; root ${dir};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate ${cert}; ssl_certificate_key ${key};
  }
}
`,
  );
  return tool("nginx", "-p", prefix, "-c", config);
}

const server = (name: string) => join(import.meta.dirname!, "servers", name);
const deno = () => [Deno.execPath(), "run", "-A", "--no-check"];

/** What all of them are told that are not nginx. */
const bare = (port: number, { dir, cert, key }: Site) => [String(port), dir, cert, key];

function web(port: number, { dir, cert, key }: Site): string[] {
  return ["web", dir, "--port", String(port), "--tls-cert", cert, "--tls-key", key, "-q"];
}

function onNode(major: number): Subject {
  return {
    name: `web-node${major}`,
    title: `plainsocket web on Node ${major}`,
    async command(port, site) {
      await buildForNode();
      const program = join(ROOT, ".node/package/out/server.js");
      return [await node(major), program, ...web(port, site)];
    },
  };
}

/** All servers, in the order of the tables. */
export const SUBJECTS: readonly Subject[] = [
  { name: "nginx", title: "nginx, one worker", command: nginx },
  {
    name: "web-deno",
    title: "plainsocket web on Deno",
    command: (port, site) => [...deno(), join(ROOT, "server.ts"), ...web(port, site)],
  },
  {
    name: "deno-serve",
    title: "Deno.serve, files in memory",
    command: (port, site) => [...deno(), server("serve-deno.ts"), ...bare(port, site)],
  },
  onNode(20),
  onNode(24),
  onNode(26),
  {
    name: "https-node24",
    title: "node:https on Node 24, the same",
    command: async (port, site) => [await node(24), server("https-node.mjs"), ...bare(port, site)],
  },
  {
    name: "tls-deno",
    title: "node:tls over a Deno.Conn, prepared responses",
    command: (port, site) => [...deno(), server("tls-deno.ts"), ...bare(port, site)],
  },
  {
    name: "tls-node24",
    title: "node:tls on Node 24, prepared responses",
    command: async (port, site) => [await node(24), server("tls-node.mjs"), ...bare(port, site)],
  },
];
