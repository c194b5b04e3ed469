// Other people's TLS at the other end: OpenSSL's, curl's, and Python's.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dial } from "../../../lib/dial.ts";
import { echo } from "../../../lib/protocols/echo.ts";
import { serve } from "../../../lib/serve/serve.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import { freshPath } from "../../contract/networks.ts";
import { bytes, readAll } from "../../support/helpers.ts";
import { Program, python, runProgram } from "../../support/peers.ts";
import { test } from "../../support/runner.deno.ts";

const own = await selfSigned(["localhost", "127.0.0.1"]);

function files(): { cert: string; key: string } {
  const [cert, key] = [freshPath(), freshPath()];
  writeFileSync(cert, own.cert);
  writeFileSync(key, own.key);
  return { cert, key };
}

test("TLS: openssl s_client and ncat talk to our server", async () => {
  const { cert } = files();
  const listener = await systemTransport.listen({ host: "127.0.0.1", tls: own });
  const stop = new AbortController();
  const served = serve(listener, echo(), { signal: stop.signal }).finished;
  const { port } = listener.addr;
  const verify = ["-CAfile", cert, "-verify_return_error", "-quiet"];
  await using openssl = new Program(
    ["openssl", "s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", ...verify],
    { pipe: true },
  );
  openssl.stdin.write("over TLS\n");
  await openssl.stdout.until(/^over TLS\n/);
  const ncat = ["ncat", "--ssl-verify", "--ssl-trustfile", cert, "localhost", String(port)];
  const { stdout, stderr } = await runProgram(ncat, { stdin: "from ncat" });
  assert.equal(stdout.toString(), "from ncat", stderr);
  await openssl[Symbol.asyncDispose]();
  stop.abort();
  await served;
}, ["ncat", "openssl"]);

test("TLS: curl trusts our certificate when told to, and only then", async () => {
  const { cert } = files();
  const listener = await systemTransport.listen({ host: "127.0.0.1", tls: own });
  const stop = new AbortController();
  const served = serve(listener, async (conn) => {
    await conn.read(new Uint8Array(4096));
    await conn.write(bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  }, { signal: stop.signal }).finished;
  const url = `https://127.0.0.1:${listener.addr.port}/`;
  const trusting = await runProgram(["curl", "-sS", "--noproxy", "*", "--cacert", cert, url]);
  assert.deepEqual([trusting.code, trusting.stdout.toString()], [0, "hello"], trusting.stderr);
  assert.equal((await runProgram(["curl", "-sS", "--noproxy", "*", url])).code, 60);
  stop.abort();
  await served;
}, ["curl"]);

test("TLS: our client talks to Python's ssl, which sees our certificate", async () => {
  const { cert, key } = files();
  await using peer = await python(`
import ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(${JSON.stringify(cert)}, ${JSON.stringify(key)})
context.set_alpn_protocols(["b"])
s, _ = l.accept()
s = context.wrap_socket(s, server_side=True)
data = b""
while (d := s.recv(100)): data += d
s.sendall(data.upper() + s.selected_alpn_protocol().encode())
s.unwrap()
sys.stdin.read()
`);
  const tls = { caCerts: [own.cert], alpnProtocols: ["a", "b"] };
  using conn = await dial(systemTransport, { ...peer.endpoint, tls });
  assert.equal(conn.tls.alpnProtocol, "b");
  await conn.write(bytes("hello"));
  await conn.closeWrite();
  assert.equal((await readAll(conn)).toString(), "HELLOb");
}, ["python3"]);
