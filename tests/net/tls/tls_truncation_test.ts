// The end of TLS, told from the end of the connection below it.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dial } from "../../../lib/dial.ts";
import { observe } from "../../../lib/observe/observe.ts";
import { requestHttp } from "../../../lib/http/client/request.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import type { Conn, Transport } from "../../../lib/net/transport.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import { bytes, readAll, until } from "../../support/helpers.ts";
import { isAtRest } from "../../support/kernel.ts";
import { python, type PythonPeer } from "../../support/peers.ts";
import { runClient } from "../../support/scripts.ts";
import { isHere } from "../../support/programs.ts";
import { afterAll, beforeAll, test } from "../../support/runner.deno.ts";

interface TlsPeer {
  readonly peer: PythonPeer;
  readonly cert: string;
  /** A folder with `cert.pem`. */
  readonly folder: string;
}

/** A version of TLS, as Python calls it. */
type Version = "TLSv1_2" | "TLSv1_3";

/**
 * A TLS server for one request after the other, `GET /END/FRAMING/SIZE`: it sends SIZE bytes, framed by
 * their length, in chunks, or by the end (`close`), or sends them alone (`raw`). END says how it ends:
 * `cut` with FIN only, and `notify` with close_notify before that.
 */
async function startPeer(version: Version): Promise<TlsPeer> {
  const folder = mkdtempSync(join(tmpdir(), "truncation-"));
  const { cert, key } = await selfSigned(["localhost"]);
  writeFileSync(join(folder, "cert.pem"), cert);
  writeFileSync(join(folder, "key.pem"), key);
  const peer = await python(`
import ssl, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("${folder}/cert.pem", "${folder}/key.pem")
context.minimum_version = context.maximum_version = ssl.TLSVersion.${version}
def converse(s):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    o = context.wrap_bio(incoming, outgoing, server_side=True)
    def run(step):
        while True:
            try: return step()
            except ssl.SSLWantReadError:
                s.sendall(outgoing.read())
                incoming.write(s.recv(65536))
    run(o.do_handshake)
    s.sendall(outgoing.read())
    end, framing, size = run(lambda: o.read(65536)).split()[1].decode().split("/")[1:]
    body = b"x" * int(size)
    head = b"HTTP/1.1 200 OK\\r\\n"
    if framing == "length": o.write(head + b"Content-Length: " + size.encode() + b"\\r\\n\\r\\n" + body)
    elif framing == "chunked":
        chunk = b"%x\\r\\n" % len(body) + body + b"\\r\\n" if body else b""
        o.write(head + b"Transfer-Encoding: chunked\\r\\n\\r\\n" + chunk + b"0\\r\\n\\r\\n")
    elif framing == "close": o.write(head + b"\\r\\n" + body)
    elif body: o.write(body)
    if end == "notify":
        try: o.unwrap()
        except ssl.SSLWantReadError: pass
    s.sendall(outgoing.read())
    s.shutdown(socket.SHUT_WR)
    while s.recv(65536): pass
    s.close()
def guarded(s):
    try: converse(s)
    except OSError: s.close()
while True: threading.Thread(target=guarded, args=(l.accept()[0],), daemon=True).start()
`);
  return { peer, cert, folder };
}

const peers = new Map<Version, TlsPeer>();

beforeAll(async () => {
  if (!isHere("python3")) return;
  for (const version of ["TLSv1_2", "TLSv1_3"] as const) {
    peers.set(version, await startPeer(version));
  }
});

afterAll(async () => {
  for (const { peer, folder } of peers.values()) {
    await peer[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
});

/** Asks a peer for `path` over TLS, which tells how it ends. */
async function ask(transport: Transport, { peer, cert }: TlsPeer, path: string) {
  const tls = { servername: "localhost", caCerts: [cert], detectTruncation: true };
  const conn = await dial(transport, { ...peer.endpoint, tls });
  await conn.write(bytes(`GET ${path} HTTP/1.1\r\n\r\n`));
  return conn;
}

test("TLS: truncated tells an end without close_notify, however much comes before it", async () => {
  for (const [version, peer] of peers) {
    for (const transport of [systemTransport, observe(systemTransport, () => {})]) {
      for (const size of [0, 1, 2, 16_384, 500_000]) {
        for (const end of ["cut", "notify"]) {
          using conn = await ask(transport, peer, `/${end}/raw/${size}`);
          assert.equal((await readAll(conn)).length, size);
          assert.equal(conn.truncated, end === "cut", `${version} ${size} ${end}`);
        }
      }
    }
  }
}, ["python3"]);

test("TLS: truncated tells it to who reads late, and in small pieces", async () => {
  for (const [version, peer] of peers) {
    for (const size of [1, 30_000]) {
      for (const end of ["cut", "notify"]) {
        using conn = await ask(systemTransport, peer, `/${end}/raw/${size}`);
        // Until the peer has sent all, and has ended.
        await until(() => isAtRest(peer.peer.endpoint), "the peer to be at rest");
        await readSlowly(conn, size);
        assert.equal(conn.truncated, end === "cut", `${version} ${size} ${end}`);
      }
    }
  }

  async function readSlowly(conn: Conn, size: number): Promise<void> {
    let got = 0;
    for (let n; (n = await conn.read(new Uint8Array(997))) !== null; got += n) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.equal(got, size);
  }
}, ["python3"]);

test(
  "requestHttp: over TLS a response without a length is whole only with close_notify",
  async () => {
    for (const { peer, cert } of peers.values()) {
      const get = async (path: string) => {
        const url = `https://localhost:${peer.endpoint.port}${path}`;
        const response = await requestHttp(systemTransport, { url, tls: { caCerts: [cert] } });
        let size = 0;
        for await (const piece of response) size += piece.length;
        return size;
      };
      for (const size of [0, 5, 500_000]) {
        assert.equal(await get(`/notify/close/${size}`), size);
        await assert.rejects(get(`/cut/close/${size}`), {
          code: "PARTIAL",
          message: /ended after .* of content, and not as TLS ends: it may have been cut off/,
        });
        // These say themselves that they are whole.
        for (const framing of ["length", "chunked"]) {
          for (const end of ["cut", "notify"]) {
            assert.equal(await get(`/${end}/${framing}/${size}`), size, `${framing} ${end}`);
          }
        }
      }
    }
  },
  ["python3"],
);

test("get: a response over TLS that was perhaps cut off exits 18, and makes no file", async () => {
  const { peer, folder } = peers.get("TLSv1_3")!;
  const file = join(folder, "file");
  const args = ["get", "--cacert", join(folder, "cert.pem"), "-o", file];
  const url = (end: string) => `https://localhost:${peer.endpoint.port}/${end}/close/1000`;
  const cut = await runClient([...args, url("cut")]);
  assert.equal(cut.code, 18);
  assert.match(cut.stderr, /it may have been cut off \(PARTIAL\)/);
  assert.equal(existsSync(file), false);
  const whole = await runClient([...args, url("notify")]);
  assert.equal(whole.code, 0, whole.stderr);
  assert.equal(readFileSync(file, "utf8"), "x".repeat(1000));
}, ["python3"]);
