// nginx as a reverse proxy, with a configuration and a directory of its own.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Conn } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { freePort, OWN_HOST } from "./helpers.ts";
import { Program } from "./peers.ts";
import { pathOf } from "./programs.ts";

/** nginx that runs. */
export interface Nginx extends AsyncDisposable {
  readonly url: string;
  /** Where connections begin with a PROXY protocol header, and the response says what it names. */
  readonly proxiedUrl: string;
  /** A port at OWN_HOST whose connections are passed to the server `behind`, with such headers. */
  readonly passingPort: string;
  readonly connect: () => Promise<Conn>;
}

/**
 * Starts nginx in front of a server on this port of 127.0.0.1. Below `/raw/` it hands on bodies as
 * they come, elsewhere once they are whole; below `/plain/` with Host as nginx has it unless told.
 * Below `/client/` and `/forwarded/` it says who its client is, in X-Forwarded-* and in Forwarded.
 * Below `/upgrade/` it passes upgrades on. Below `/own/` it answers itself. `behind` is the port of a
 * server that gets PROXY protocol headers, which takes nginx-stream.
 */
export async function startNginx(upstream: number, behind?: number): Promise<Nginx> {
  const directory = mkdtempSync(join(tmpdir(), "plainsocket-nginx-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  for (let attempt = 1;; attempt++) {
    // It cannot tell a port that the kernel chose, so we choose; somebody may be faster.
    const [port, proxied, passing] = [await freePort(), await freePort(), await freePort()];
    const stream = behind === undefined ? "" : passingOn(passing, behind);
    const text = stream + configuration(port, proxied, upstream);
    writeFileSync(join(directory, "nginx.conf"), text);
    const program = new Program(
      // Debian has it where not everybody looks.
      [
        "sh",
        "-c",
        'PATH="$PATH:/usr/sbin" exec nginx -p "$1" -c nginx.conf -e stderr',
        "sh",
        directory,
      ],
    );
    try {
      await program.stderr.until(/start worker|using the "|emerg/);
      await answers(port);
    } catch (error) {
      await program[Symbol.asyncDispose]();
      if (attempt < 5 && /Address already in use/.test(program.stderr.text)) continue;
      remove();
      throw new Error(
        `nginx did not start (install it with \`apt-get install nginx-light\`): ${program.stderr.text}`,
        { cause: error },
      );
    }
    return {
      url: `http://${OWN_HOST}:${port}`,
      proxiedUrl: `http://${OWN_HOST}:${proxied}`,
      passingPort: passing,
      connect: () => systemTransport.connect({ host: OWN_HOST, port: Number(port) }),
      async [Symbol.asyncDispose]() {
        await program.stop();
        await program[Symbol.asyncDispose]();
        remove();
      },
    };
  }
}

async function answers(port: string): Promise<void> {
  (await systemTransport.connect({ host: OWN_HOST, port: Number(port) })).close();
}

function passingOn(port: string, behind: number): string {
  return `
load_module ${pathOf("nginx-stream")};
stream {
  server {
    listen ${OWN_HOST}:${port};
    proxy_pass 127.0.0.1:${behind};
    proxy_protocol on;
  }
}
`;
}

function configuration(port: string, proxied: string, upstream: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join(" ")}
  client_max_body_size 0;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;
  proxy_buffering off;
  upstream ours {
    server 127.0.0.1:${upstream};
    keepalive 4;
  }
  server {
    listen ${OWN_HOST}:${proxied} proxy_protocol;
    return 200 "$proxy_protocol_addr $proxy_protocol_server_addr $proxy_protocol_server_port\n";
  }
  server {
    listen ${OWN_HOST}:${port};
    location / {
      proxy_pass http://ours;
    }
    location /raw/ {
      proxy_pass http://ours/;
      proxy_request_buffering off;
    }
    location /client/ {
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header Forwarded "";
      proxy_pass http://ours/;
    }
    location /forwarded/ {
      proxy_set_header Forwarded "$http_forwarded, for=$remote_addr;proto=$scheme;host=\\"$http_host\\"";
      proxy_set_header X-Forwarded-For "";
      proxy_set_header X-Forwarded-Proto "";
      proxy_set_header X-Forwarded-Host "";
      proxy_pass http://ours/;
    }
    location /upgrade/ {
      proxy_set_header Connection $http_connection;
      proxy_set_header Upgrade $http_upgrade;
      proxy_pass http://ours/;
    }
    location /own/ {
      return 200 "nginx has $uri\n";
    }
    location /plain/ {
      proxy_set_header Connection "";
      proxy_pass http://127.0.0.1:${upstream}/;
    }
  }
}
`;
}
