// Other people's HTTP clients and our server: curl, wget, Python's http.client and urllib, Node's
// http module and the fetch of the runtime that runs the tests.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { Agent, type IncomingMessage, request as nodeRequest } from "node:http";
import { bytes, randomBytes, readAll, until } from "../support/helpers.ts";
import { type LoopbackServer, serveHere, STREAMED } from "./http_loopback.ts";
import { PYTHON, runProgram } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";

/** As large as a body may be, nearly. */
const BODY = Buffer.from(randomBytes(1_000_000));

/** Runs curl, which must succeed, and gives what it prints. */
async function curl(args: readonly string[], stdin?: Uint8Array): Promise<[Buffer, string]> {
  const { code, stdout, stderr } = await runProgram(["curl", "-sS", ...args], { stdin });
  assert.equal(code, 0, stderr);
  return [stdout, stderr];
}

test("curl: gets several URLs on one connection", async () => {
  await using server = await serveHere();
  const [stdout] = await curl(["/1", "/2", "/3"].map((path) => server.url + path));
  assert.equal(stdout.toString(), "GET /1\nGET /2\nGET /3\n");
  assert.equal(server.connections, 1);
}, ["curl"]);

test("curl: goes on with a new connection where the server ends one", async () => {
  await using server = await serveHere({ limits: { requests: 2 } });
  const [stdout] = await curl(["/1", "/2", "/3", "/4"].map((path) => server.url + path));
  assert.equal(stdout.toString(), "GET /1\nGET /2\nGET /3\nGET /4\n");
  assert.equal(server.connections, 2);
}, ["curl"]);

test("curl: waits for 100 before it sends a large body, and gets it back", async () => {
  await using server = await serveHere();
  const args = ["-v", "-H", "Expect: 100-continue", "--expect100-timeout", "30"];
  const [stdout, log] = await curl([...args, "--data-binary", "@-", `${server.url}/echo`], BODY);
  assert.match(log, /^< HTTP\/1\.1 100 Continue\r\n[^]*^< HTTP\/1\.1 200 OK/m);
  assert.ok(stdout.equals(BODY));
}, ["curl"]);

test("curl: uploads in chunks, by PUT and by POST", async () => {
  await using server = await serveHere();
  for (const args of [["-T", "-"], ["-H", "Transfer-Encoding: chunked", "--data-binary", "@-"]]) {
    const [stdout] = await curl([...args, `${server.url}/echo`], BODY);
    assert.ok(stdout.equals(BODY), args[0]);
  }
  assert.deepEqual(server.told.map(({ request }) => request?.method), ["PUT", "POST"]);
}, ["curl"]);

test("curl: speaks HTTP/1.0, to the end of a response, and kept", async () => {
  await using server = await serveHere();
  const [stream] = await curl(["--http1.0", `${server.url}/stream`]);
  assert.ok(stream.equals(STREAMED));
  const urls = ["/1", "/2"].map((path) => server.url + path);
  const [kept] = await curl(["--http1.0", "-H", "Connection: keep-alive", ...urls]);
  assert.equal(kept.toString(), "GET /1\nGET /2\n");
  assert.equal(server.connections, 2);
}, ["curl"]);

test("curl: asks with HEAD, and with other methods, on one connection", async () => {
  await using server = await serveHere();
  const [head] = await curl(["-I", `${server.url}/1`, `${server.url}/stream`, `${server.url}/3`]);
  assert.deepEqual(head.toString().match(/^(HTTP|Content-Length|Transfer).*(?=\r\n)/gm), [
    "HTTP/1.1 200 OK",
    "Content-Length: 8",
    "HTTP/1.1 200 OK",
    "Transfer-Encoding: chunked",
    "HTTP/1.1 200 OK",
    "Content-Length: 8",
  ]);
  assert.equal(server.connections, 1);
  for (const method of ["DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE"]) {
    const [stdout] = await curl(["-X", method, `${server.url}/x`]);
    assert.equal(stdout.toString(), `${method} /x\n`);
  }
  const [asterisk] = await curl(["-X", "OPTIONS", "--request-target", "*", server.url]);
  assert.equal(asterisk.toString(), "OPTIONS /*\n");
}, ["curl"]);

test("curl: reads 413 while it uploads what is too large", async () => {
  const body = Buffer.alloc(16 << 20, "x");
  await using server = await serveHere();
  for (const args of [["-H", "Expect:", "--data-binary", "@-"], ["-H", "Expect:", "-T", "-"]]) {
    const [stdout] = await curl([...args, "-w", "%{http_code}", `${server.url}/echo`], body);
    assert.equal(stdout.toString(), "The body is too large.\n413");
  }
}, ["curl"]);

test("curl: follows its proxy's habit of an absolute target", async () => {
  await using server = await serveHere();
  const [stdout] = await curl(["-x", server.url, "http://elsewhere.example/x"]);
  assert.equal(stdout.toString(), "GET /x\n");
  assert.equal(server.told[0].request?.host, "elsewhere.example");
  // A tunnel it does not get.
  const args = ["curl", "-sS", "-p", "-x", server.url, "http://elsewhere.example/x"];
  const { code, stderr } = await runProgram(args);
  assert.notEqual(code, 0);
  assert.match(stderr, /501/);
}, ["curl"]);

test("wget: gets several URLs on one connection, streams, and posts", async () => {
  await using server = await serveHere();
  const wget = async (...args: string[]) => {
    const { code, stdout, stderr } = await runProgram(["wget", "-nv", "-O", "-", ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const { url } = server;
  assert.equal((await wget(`${url}/1`, `${url}/2`)).toString(), "GET /1\nGET /2\n");
  assert.equal(server.connections, 1);
  assert.ok((await wget(`${url}/stream`)).equals(STREAMED));
  assert.equal((await wget("--post-data=a=b", `${url}/echo`)).toString(), "a=b");
  assert.equal((await wget("--method=PUT", "--body-data=text", `${url}/echo`)).toString(), "text");
}, ["wget"]);

/** Runs a Python program that has `port`, and fails if it does. */
async function python(program: string, { port }: LoopbackServer): Promise<void> {
  const prelude = `
import hashlib, http.client, socket, sys, urllib.error, urllib.request
port = int(sys.argv[1])
`;
  const { code, stderr } = await runProgram([...PYTHON, "-c", prelude + program, String(port)]);
  assert.equal(code, 0, stderr);
}

test("Python: http.client keeps a connection, for bodies with a length and in chunks", async () => {
  await using server = await serveHere();
  await python(
    `
conn = http.client.HTTPConnection("127.0.0.1", port)
body = bytes(range(256)) * 3000
def parts():
    for at in range(0, len(body), 7000): yield body[at:at + 7000]
for content in [body, parts(), b"", iter([])]:
    conn.request("POST", "/echo", body=content)
    response = conn.getresponse()
    got = response.read()
    assert response.status == 200 and got in (body, b""), got
conn.request("HEAD", "/1")
assert conn.getresponse().read() == b""
conn.request("GET", "/stream")
assert len(conn.getresponse().read()) == ${STREAMED.length}
`,
    server,
  );
  assert.equal(server.told.length, 6);
  assert.equal(server.connections, 1);
  assert.deepEqual(server.told.slice(0, 2).map(({ bytes }) => bytes), [768_000, 768_000]);
}, ["python3"]);

test("Python: pipelines by hand", async () => {
  await using server = await serveHere();
  await python(
    `
s = socket.create_connection(("127.0.0.1", port))
for i in range(50):
    s.sendall(b"GET /%d HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" % i)
s.sendall(b"GET /last HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
data = b""
while True:
    part = s.recv(65536)
    if not part: break
    data += part
bodies = [response.split(b"\\r\\n\\r\\n")[1] for response in data.split(b"HTTP/1.1 200 OK")[1:]]
assert bodies == [b"GET /%d\\n" % i for i in range(50)] + [b"GET /last\\n"], bodies
`,
    server,
  );
}, ["python3"]);

test("Python: urllib gets, posts, and reads errors while it sends", async () => {
  await using server = await serveHere();
  await python(
    `
base = "http://127.0.0.1:%d" % port
assert urllib.request.urlopen(base + "/1").read() == b"GET /1\\n"
assert urllib.request.urlopen(base + "/echo", data=b"x" * 100000).read() == b"x" * 100000
large = urllib.request.Request(base + "/1", headers={"X-Large": "x" * 20000})
for what, data, code in [(large, None, 431), (base + "/echo", b"x" * (16 << 20), 413)]:
    try:
        urllib.request.urlopen(what, data=data)
        assert False
    except urllib.error.HTTPError as error:
        assert error.code == code and error.read().endswith(b".\\n"), error
`,
    server,
  );
}, ["python3"]);

/** One request of Node's http module. */
async function ask(
  url: string,
  agent: Agent,
  { method = "GET", body, length }: { method?: string; body?: Uint8Array; length?: number } = {},
): Promise<Buffer> {
  const headers = length === undefined ? {} : { "Content-Length": length };
  const request = nodeRequest(url, { agent, method, headers });
  request.end(body);
  const [response] = await once(request, "response") as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("Node's http: an agent keeps its connection, and sends bodies both ways", async () => {
  await using server = await serveHere();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const url = `${server.url}/echo`;
  assert.equal((await ask(`${server.url}/1`, agent)).toString(), "GET /1\n");
  const sized = { method: "POST", body: BODY, length: BODY.length };
  assert.ok((await ask(url, agent, sized)).equals(BODY));
  assert.ok((await ask(url, agent, { method: "POST", body: BODY })).equals(BODY));
  assert.ok((await ask(`${server.url}/stream`, agent)).equals(STREAMED));
  assert.equal((await ask(`${server.url}/5`, agent, { method: "HEAD" })).length, 0);
  assert.equal(server.connections, 1);
  agent.destroy();
});

test("fetch: gets, posts what is there and streams, and uses connections again", async () => {
  await using server = await serveHere();
  const url = `${server.url}/echo`;
  for (let i = 0; i < 5; i++) {
    assert.equal(await (await fetch(`${server.url}/${i}`)).text(), `GET /${i}\n`);
  }
  // Node asks again before it has noticed that its connection is free.
  assert.ok(server.connections <= 2, `${server.connections} connections`);
  const whole = await fetch(url, { method: "PUT", body: BODY });
  assert.equal(whole.headers.get("X-Method"), "PUT");
  assert.ok(Buffer.from(await whole.arrayBuffer()).equals(BODY));
  const stream: RequestInit & { duplex: "half" } = {
    method: "POST",
    body: new Blob([BODY]).stream(),
    duplex: "half",
  };
  const streamed = await fetch(url, stream);
  assert.ok(Buffer.from(await streamed.arrayBuffer()).equals(BODY));
  const download = await fetch(`${server.url}/stream`);
  assert.ok(Buffer.from(await download.arrayBuffer()).equals(Buffer.from(STREAMED)));
});

test("RFC 9112 9.6: a client that pipelines on behind the last response can read all of them", async () => {
  await using server = await serveHere({ limits: { requests: 100 } });
  for (let i = 0; i < 3; i++) {
    using conn = await server.connect();
    const request = bytes(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(1000)}\r\n\r\n`);
    const sent = (async () => {
      for (let n = 0; n < 300; n++) await conn.write(request);
    })().catch(() => {});
    // Slow enough for a reset to arrive before the responses are read.
    await until(() => server.told.length === (i + 1) * 100, "100 responses to be sent");
    const responses = Buffer.from(await readAll(conn)).toString().match(/^HTTP\/1\.1 200 OK\r$/gm);
    assert.equal(responses?.length, 100);
    await sent;
  }
});
