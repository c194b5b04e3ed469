import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LIMIT_FLAGS } from "../../lib/cli/options/limits.ts";
import { HTTP_LIMITS } from "../../lib/http/server/options.ts";
import { wsSettings } from "../../lib/http/ws/options.ts";
import { HANDSHAKE_TIMEOUT } from "../../lib/net/tls/handshake.ts";
import { MAX_HEADER } from "../../lib/proxy_protocol/parse_v2.ts";
import { HEADER_TIMEOUT } from "../../lib/proxy_protocol/transport.ts";

/** Limits as SECURITY.md names them: numbers, bytes, or milliseconds. */
function limits(): Record<string, number> {
  const ws = wsSettings({});
  return {
    "connections of a server at once": LIMIT_FLAGS["max-connections"].fallback,
    "a connection of `serve()` without a byte": LIMIT_FLAGS["idle-timeout"].fallback,
    "draining after a stop": LIMIT_FLAGS.grace.fallback,
    "a handshake of TLS": HANDSHAKE_TIMEOUT,
    "a header of the PROXY protocol: to its end": HEADER_TIMEOUT,
    "a header of the PROXY protocol": MAX_HEADER,
    "HTTP: the request line": HTTP_LIMITS.requestLine,
    "HTTP: the header fields": HTTP_LIMITS.headerBytes,
    "HTTP: how many header fields": HTTP_LIMITS.headerCount,
    "HTTP: from the first byte of a head to its end": HTTP_LIMITS.headTimeout,
    "HTTP: without a byte of a body": HTTP_LIMITS.bodyTimeout,
    "HTTP: bytes a second of a body": HTTP_LIMITS.bodyRate,
    "HTTP: without a byte that the client takes": HTTP_LIMITS.writeTimeout,
    "HTTP: without a request": HTTP_LIMITS.idleTimeout,
    "HTTP: requests of a connection": HTTP_LIMITS.requests,
    "HTTP: a body": HTTP_LIMITS.maxSize,
    "WebSocket: a message": ws.maxSize,
    "WebSocket: frames of a message": ws.maxFragments,
    "WebSocket: without a byte, before a Ping": ws.pingInterval,
    "WebSocket: an answer to a Close frame": ws.closeTimeout,
  };
}

/** A cell as a number: `8 KiB`, `15 s`, `1,024`. */
function valueOf(cell: string): number {
  const [number, unit = ""] = cell.split(" ");
  const factor = { "": 1, KiB: 1024, MiB: 1024 ** 2, s: 1000 }[unit] ?? NaN;
  return Number(number.replaceAll(",", "")) * factor;
}

test("the limits in SECURITY.md are those of the code", () => {
  const [, table] = readFileSync("SECURITY.md", "utf8").split("\n## Limits\n");
  const rows = [...table.matchAll(/^\| (.*?) *\| *([\d,]+(?: \w+)?) \|/gm)];
  const told = Object.fromEntries(rows.map(([, name, cell]) => [name, valueOf(cell)]));
  assert.deepEqual(told, limits());
});

test("each page that SECURITY.md leads to is there", () => {
  for (const [, path] of readFileSync("SECURITY.md", "utf8").matchAll(/\]\(([^)#]+)\)/g)) {
    assert.ok(readFileSync(path, "utf8").length > 0, path);
  }
});
