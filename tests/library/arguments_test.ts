// What plain JavaScript gets wrong, since nothing checks its types: each mistake is a TypeError or a
// RangeError that names the argument, what came, and what to write instead.

import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { runInNewContext } from "node:vm";
import {
  AccessList,
  type Conn,
  dial,
  escapeText,
  formatAddr,
  type Listener,
  observe,
  observeBorrowed,
  selfSigned,
  serve,
  serveDatagrams,
  systemTransport,
  type Transport,
} from "../../mod.ts";
import { chat } from "../../lib/protocols/chat/mod.ts";
import { echo, join, relay } from "../../lib/protocols/mod.ts";
import { fileHandler, siteHandler } from "../../lib/files/mod.ts";
import {
  decodeFrames,
  delimiter,
  encodeFrame,
  fixedLength,
  FrameDecoder,
  FrameReader,
  FrameWriter,
  lengthPrefix,
  lines,
} from "../../lib/frames/mod.ts";
import {
  fromFetchHandler,
  HTTP_LIMITS,
  parseUrl,
  prepare,
  requestHttp,
  serveHttp,
  serveLight,
  toFetchHandler,
} from "../../lib/http/mod.ts";
import {
  connectionsOf,
  liveDiagram,
  readRecording,
  Recorder,
  recordingLine,
  redacting,
  summaryOf,
  toHar,
  toMermaid,
  toPcapng,
  toSvg,
  toText,
} from "../../lib/recording/mod.ts";
import { replayed, Replays } from "../../lib/replay/mod.ts";
import { MemoryTransport, VirtualClock } from "../../lib/testing/mod.ts";
import { startWorkers } from "../../lib/workers/mod.ts";
import { bytes, mistakes, readText, rejects } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

/** As plain JavaScript sees the library: anything goes. */
// deno-lint-ignore no-explicit-any
type Plain = any;

const memory = new MemoryTransport();
const TRANSPORTS: readonly [string, Transport][] = [
  [systemTransport.name, systemTransport],
  ["memory", memory],
  ["observed", observe(memory, () => {})],
];

for (const [name, transport] of TRANSPORTS) {
  const plain: Plain = transport;

  test(`arguments: ${name}: options that are no object say what they are`, async () => {
    await mistakes(
      "TypeError",
      /^connect .*host.*, not "localhost"/,
      plain.connect("localhost", 1),
    );
    await mistakes("TypeError", /^listen .*port.*, not 3000/, plain.listen(3000));
    await mistakes("TypeError", /^listen .*, not null/, plain.listen(null));
    await mistakes("TypeError", /^connect .*, not undefined/, plain.connect());
    await mistakes("TypeError", /^connect .*, not an array/, plain.connect(["::1", 7]));
    await mistakes("TypeError", /^resolve .*, not "localhost"/, plain.resolve("localhost"));
    await mistakes("TypeError", /^listenDatagram .*, not 7/, plain.listenDatagram(7));
    await mistakes("TypeError", /^startTls takes a Conn/, plain.startTls("localhost"));
  });

  test(`arguments: ${name}: an option of the wrong type names what to write`, async () => {
    const at = { host: "localhost", port: "22502" };
    await mistakes("TypeError", /port.*65535, not "22502"\. Write port: 22502$/, plain.connect(at));
    await mistakes("TypeError", /Write port: 22502$/, plain.listen(at));
    await mistakes("TypeError", /Write port: 22502$/, plain.listenDatagram(at));
    await mistakes("TypeError", /not "http"$/, plain.listen({ port: "http" }));
    await mistakes("TypeError", /needs the option port: an int/, plain.connect({ host: "::1" }));
    await mistakes("TypeError", /host as a string, not 7/, plain.listen({ host: 7 }));
    await mistakes(
      "TypeError",
      /signal as an AbortSignal/,
      plain.connect({ path: "a", signal: 1 }),
    );
    await mistakes("RangeError", /backlog.*from 1, not 0/, plain.listen({ backlog: 0 }));
    const remote = { remote: { host: "::1", port: "7" } };
    await mistakes("TypeError", /in remote, .*Write port: 7$/, plain.listenDatagram(remote));
  });

  test(`arguments: ${name}: an unknown option is refused, and the near one is named`, async () => {
    await mistakes("TypeError", /"hostname"\. Write host$/, plain.listen({ hostname: "0.0.0.0" }));
    await mistakes("TypeError", /"prot"\. Write port$/, plain.listen({ prot: 7 }));
    await mistakes("TypeError", /Write host$/, plain.connect({ hostname: "::1", port: 7 }));
    await mistakes("RangeError", /host as a host name or/, plain.connect({ host: "", port: 7 }));
    await mistakes("RangeError", /port.* from 1 to/, plain.connect({ host: "::1", port: 0 }));
    const far = plain.connect({ host: "::1", port: 7, retries: 3 });
    await mistakes("TypeError", /"retries"\. It has .*localAddress/, far);
    const unix = plain.listen({ path: "/tmp/x", host: "localhost" });
    await mistakes("TypeError", /no option "host"/, unix);
    // An option that is undefined is not there.
    using _listener = await plain.listen({ host: "127.0.0.1", hostname: undefined });
  });

  test(`arguments: ${name}: what is no bytes is neither read into nor written`, async () => {
    using listener: Listener = await transport.listen({ host: "127.0.0.1" });
    const [client, server] = await Promise.all([
      transport.connect(listener.addr),
      listener.accept(),
    ]) as [Plain, Conn];
    const encode =
      /conn\.write takes bytes .*, not "hello"\. Write new TextEncoder\(\)\.encode\(text\)$/;
    await mistakes("TypeError", encode, client.write("hello"));
    await mistakes(
      "TypeError",
      /Write new Uint8Array\(buffer\)$/,
      client.write(new ArrayBuffer(4)),
    );
    await mistakes(
      "TypeError",
      /not an object of type Uint16Array/,
      client.write(new Uint16Array(2)),
    );
    await mistakes("TypeError", /not undefined$/, client.write());
    await mistakes(
      "TypeError",
      /conn\.read .*not 16\. Write new Uint8Array\(16\)$/,
      client.read(16),
    );
    await mistakes("TypeError", /conn\.read .*not undefined$/, client.read());
    await mistakes("TypeError", /conn\.read .*not "16"/, client.read("16"));
    // The connection has not been harmed, and what other realms call bytes is bytes.
    await client.write(runInNewContext("new Uint8Array([104, 105])"));
    assert.equal(await readText(server, 2), "hi");
    client.close();
    server.close();
  });
}

test("arguments: datagrams are bytes, and go to an endpoint", async () => {
  using socket: Plain = await systemTransport.listenDatagram({ host: "127.0.0.1" });
  await mistakes("TypeError", /send .*TextEncoder/, socket.send("x", socket.addr));
  await mistakes(
    "TypeError",
    /in to, .*, not "127\.0\.0\.1"/,
    socket.send(bytes("x"), "127.0.0.1"),
  );
  const to = { host: "127.0.0.1", port: "7" };
  await mistakes("TypeError", /in to, .*Write port: 7$/, socket.send(bytes("x"), to));
  await mistakes("TypeError", /receive .*Write new Uint8Array\(9\)$/, socket.receive(9));
});

test("arguments: dial names what it takes", async () => {
  const plainDial: Plain = dial;
  await mistakes("TypeError", /^dial .*, not "h:1"$/, plainDial(memory, "h:1"));
  await mistakes("TypeError", /^dial takes a Transport/, plainDial({ host: "h", port: 1 }));
  await mistakes(
    "TypeError",
    /Write port: 22502$/,
    plainDial(memory, { host: "h", port: "22502" }),
  );
  const timeout = { host: "h", port: 1, timeout: -1 };
  await mistakes("RangeError", /timeout as milliseconds from 0.*, not -1$/, dial(memory, timeout));
  const typo = plainDial(memory, { host: "h", port: 1, timout: 1 });
  await mistakes("TypeError", /"timout"\. Write timeout$/, typo);
  const inTls = plainDial(systemTransport, { host: "h", port: 1, tls: { ca: ["x"] } });
  await mistakes("TypeError", /^dial, in tls, .*"ca"\. Write caCerts$/, inTls);
  const noTls = plainDial(systemTransport, { host: "h", port: 1, tls: true });
  await mistakes("TypeError", /tls as an object of options, not true\. Write tls: \{\}$/, noTls);
});

test("arguments: servers name what they take", async () => {
  // They throw at once; as promises they are asserted like the others.
  const [s, d, h, l]: Plain[] = [serve, serveDatagrams, serveHttp, serveLight].map(
    (kind: Plain) => {
      return async (...args: unknown[]) => await kind(...args);
    },
  );
  const answer = () => new Response("x");
  using listener = await memory.listen();
  await mistakes("TypeError", /^serveHttp takes a Listener, .*listen/, h({ port: 8000 }, answer));
  await mistakes("TypeError", /^serveLight takes a Listener/, l(8000, answer));
  await mistakes("TypeError", /^serve takes a handler/, s(listener, { signal: null }));
  await mistakes("TypeError", /^serveDatagrams takes a Datagram/, d(listener, answer));
  await mistakes("RangeError", /maxConnections.*NaN/, s(listener, echo(), { maxConnections: NaN }));
  await mistakes("RangeError", /idleTimeout.*-1/, s(listener, echo(), { idleTimeout: -1 }));
  await mistakes(
    "TypeError",
    /"maxConnection"\. Write maxConnections$/,
    s(listener, echo(), { maxConnection: 1 }),
  );
  await mistakes(
    "TypeError",
    /drainTimeout.*Write drainTimeout: 0$/,
    h(listener, answer, { drainTimeout: "0" }),
  );
  const limits = { idleTimeout: NaN };
  await mistakes(
    "RangeError",
    /^serveHttp, in limits, .*idleTimeout/,
    h(listener, answer, { limits }),
  );
  const maxSize = { maxSize: 0 };
  await mistakes(
    "RangeError",
    /maxSize as bytes from 1.*, not 0$/,
    h(listener, answer, { limits: maxSize }),
  );
  const unknown = { headerSize: 1 };
  await mistakes(
    "TypeError",
    /in limits, .*"headerSize"/,
    l(listener, answer, { limits: unknown }),
  );
  // Nobody has taken the listener.
  using _client = await memory.connect(listener.addr);
});

test("arguments: requestHttp names what it takes", async () => {
  const request: Plain = (options: unknown) => requestHttp(memory, options as Plain);
  const url = "http://localhost/";
  await mistakes("TypeError", /^requestHttp .*url.*, not "http/, request(url));
  await mistakes("TypeError", /needs the option url/, request({}));
  await mistakes(
    "TypeError",
    /Write headers: Object\.entries\(headers\)\.flat\(\)$/,
    request({ url, headers: {} }),
  );
  const headers = new Headers();
  await mistakes(
    "TypeError",
    /Write headers: \[\.\.\.headers\]\.flat\(\)$/,
    request({ url, headers }),
  );
  await mistakes("TypeError", /by turns/, request({ url, headers: ["Accept"] }));
  await mistakes("TypeError", /body as /, request({ url, body: { a: 1 } }));
  await mistakes("TypeError", /"timeout"/, request({ url, timeout: 1 }));
  await mistakes("TypeError", /method as a string/, request({ url, method: 1 }));
});

test("arguments: what makes handlers, lists and framings names what it takes", () => {
  const wrong: [() => unknown, "TypeError" | "RangeError", RegExp][] = [
    [() => echo({ recvSize: 0 }), "RangeError", /recvSize as an integer from 1, not 0/],
    [() => echo(1024 as Plain), "TypeError", /^echo .*, not 1024/],
    [() => chat({ maxLine: 0 }), "RangeError", /maxLine/],
    [() => chat({ maxLine: 4097 }), "RangeError", /maxLine/],
    [() => chat({ maxQue: 1 } as Plain), "TypeError", /Write maxQueue/],
    [() => relay({ host: "h", port: 1 } as Plain), "TypeError", /dial\(transport/],
    [() => new AccessList({ allow: "10.0.0.0/8" } as Plain), "TypeError", /Write allow: \["10/],
    [() => new AccessList({ allowed: [] } as Plain), "TypeError", /Write allow/],
    [() => new AccessList({ maxPerAddress: NaN }), "RangeError", /maxPerAddress/],
    [() => lines({ maxSize: 0 }), "RangeError", /^lines .*maxSize/],
    [() => lines(1000 as Plain), "TypeError", /^lines .*maxSize.*, not 1000/],
    [() => lengthPrefix("u64" as Plain), "TypeError", /"u32" or "varint", not "u64"/],
    [() => lengthPrefix("u8", { maxSize: 256 }), "RangeError", /to 255, not 256/],
    [() => lengthPrefix("u16", { endian: "LE" } as Plain), "TypeError", /"big" or "little"/],
    [() => delimiter("\n" as Plain), "TypeError", /TextEncoder/],
    [() => fixedLength("4" as Plain), "TypeError", /Write 4$/],
    [() => observe("x" as Plain, () => {}), "TypeError", /^observe takes a Transport/],
    [() => observe(memory, {} as Plain), "TypeError", /^observe takes a function/],
    [() => observeBorrowed(memory, {} as Plain), "TypeError", /^observeBorrowed takes a function/],
    [
      () => redacting("cookie" as Plain),
      "TypeError",
      /^redacting takes an array.*Write \["cookie"\]/,
    ],
    [() => parseUrl(new URL("http://a") as Plain), "TypeError", /^parseUrl takes a string/],
    [() => formatAddr("h:1" as Plain), "TypeError", /^formatAddr takes an address/],
    [() => escapeText(undefined as Plain), "TypeError", /^escapeText takes a string/],
    [() => prepare(undefined as Plain), "TypeError", /^prepare takes an object/],
    [() => prepare({ body: "x" } as Plain), "TypeError", /needs the option status/],
    [() => new MemoryTransport({ host: {} } as Plain), "TypeError", /Write hosts/],
  ];
  const payload = "x" as Plain;
  const frames: typeof wrong = [
    [() => encodeFrame(lines(), payload), "TypeError", /^encodeFrame .*TextEncoder/],
    [() => encodeFrame("lines" as Plain, bytes("x")), "TypeError", /such as lines\(\)/],
    [() => decodeFrames(lines(), payload), "TypeError", /^decodeFrames .*TextEncoder/],
    [() => new FrameDecoder(lines()).push(payload), "TypeError", /^decoder\.push .*TextEncoder/],
    [() => new FrameDecoder("lines" as Plain), "TypeError", /such as lines\(\)/],
    [() => new FrameReader(lines() as Plain, lines()), "TypeError", /FrameReader takes a Conn/],
    [() => new FrameWriter({} as Plain, lines()), "TypeError", /FrameWriter takes a Conn/],
  ];
  for (const [make, name, message] of [...wrong, ...frames]) {
    assert.throws(make, { name, code: "EINVAL", message }, String(make));
  }
});

test("arguments: join, selfSigned and startWorkers name what they take", async () => {
  using listener = await memory.listen();
  using conn = await memory.connect(listener.addr);
  const [joins, workers]: Plain[] = [join, startWorkers];
  await mistakes("TypeError", /^join needs the option source/, joins(conn, {}));
  const source = (async function* () {})();
  const onEof = { source, sink: () => {}, onEof: "x" };
  await mistakes("TypeError", /onEof as "half-close" or "close" or "wait"/, joins(conn, onEof));
  await mistakes("TypeError", /^join takes a Conn/, joins("h:1", {}));
  await mistakes("TypeError", /Write \["localhost"\]$/, (selfSigned as Plain)("localhost"));
  await mistakes("RangeError", /one host or more/, selfSigned([]));
  await mistakes("TypeError", /needs the option workers/, workers("data:text/javascript,", {}));
  await mistakes(
    "RangeError",
    /workers.*from 1, not 0/,
    workers("data:text/javascript,", { workers: 0 }),
  );
  await mistakes("TypeError", /^startWorkers takes the URL/, workers(() => {}, { workers: 1 }));
});

test("arguments: what makes something of a recording names what it takes", async () => {
  const made: Record<string, Plain> = {
    connectionsOf,
    summaryOf,
    toText,
    toMermaid,
    toSvg,
    toPcapng,
    toHar,
    replayed,
  };
  for (const [name, make] of Object.entries(made)) {
    for (const wrong of [undefined, null, "x.jsonl", {}, { events: [] }, readRecording("")]) {
      assert.throws(() => make(wrong), {
        name: "TypeError",
        message: new RegExp(`^${name} takes a recording, such as await readRecording`),
      });
      if (wrong instanceof Promise) await assert.rejects(wrong, { name: "RecordingError" });
    }
  }
  const read: Plain = readRecording;
  for (const wrong of [undefined, null, 5, {}, Promise.resolve("")]) {
    await mistakes("TypeError", /^readRecording takes a text, or bytes in pieces/, read(wrong));
  }
  await mistakes("TypeError", /Write \[bytes\]$/, read(bytes("x")));
  const making: Plain = Replays;
  const recording = { head: { started: "" }, events: [] };
  assert.throws(() => new making({}, "server"), /^TypeError.*new Replays takes a recording/s);
  assert.throws(() => new making(recording, "peer"), /new Replays takes/);
  assert.throws(() => new making(recording, "server", { times: 0 }), RangeError);
  const recorder: Plain = Recorder;
  assert.throws(() => new recorder({ redaction: "all" }), /new Recorder takes .*redaction/);
  const line: Plain = recordingLine;
  assert.throws(() => line("x"), /^TypeError: recordingLine takes the head or an event/);
  const diagram: Plain = liveDiagram;
  assert.throws(() => diagram({}), /^TypeError: liveDiagram needs put|liveDiagram.*put/);
  assert.throws(() => diagram({ put() {} }, { names: [] }), /TypeError.*liveDiagram.*names/);
});

test("arguments: what serves files names what it takes", () => {
  const root = tmpdir();
  const [files, site]: Plain[] = [fileHandler, siteHandler];
  const wrong: [() => unknown, RegExp][] = [
    [() => files(), /^fileHandler takes the path of a directory, not undefined/],
    [() => files(new URL("file:///")), /Write fileURLToPath\(url\)$/],
    [() => files(root, { root }), /"root"\. It has spa/],
    [() => files(root, { cache: "no-store" }), /no option "cache"/],
    [() => files(root, { headers: { a: "b" } }), /Object\.entries/],
    [() => files(root, { spa: "yes" }), /spa as true or false, not "yes"$/],
    [() => site(root, { uploads: true }), /^siteHandler .*Write upload$/],
    [() => site(root, { credentials: "user:password" }), /credentials as an object/],
    [() => site(root, { credentials: { user: "a", pass: "b" } }), /"pass"\. Write password$/],
    [() => site(root, { credentials: { user: "a" } }), /needs the option password/],
    [() => site(root, { hosts: "example.com" }), /Write hosts: \["example\.com"\]$/],
    [() => site(root, { listing: () => {} }), /no option "listing"/],
    [() => (toFetchHandler as Plain)({ fetch() {} }), /a handler.* Write app\.fetch$/],
    [() => (fromFetchHandler as Plain)(), /^fromFetchHandler takes a handler/],
  ];
  for (const [make, message] of wrong) {
    assert.throws(make, { name: "TypeError", code: "EINVAL", message }, String(make));
  }
});

test("arguments: a frame is bytes", async () => {
  using listener = await memory.listen();
  using conn = await memory.connect(listener.addr);
  const writer: Plain = new FrameWriter(conn, lines());
  await mistakes("TypeError", /^writer\.write .*TextEncoder/, writer.write("hello"));
  assert.throws(() => writer.tryWrite("hello"), { name: "TypeError", code: "EINVAL" });
});

test("arguments: what selfSigned makes, and addresses, are options as they are", async () => {
  using listener = await systemTransport.listen({ tls: await selfSigned(["localhost"]) });
  const { transport, host, port } = listener.addr;
  using again: Listener = await (memory as Plain).listen({ transport, host, port });
  using _conn = await memory.connect(again.addr);
});

test("arguments: 0 is no limit, of connections and of the times of HTTP", async () => {
  const stop = new AbortController();
  const clock = new VirtualClock();
  const listener = await memory.listen();
  const zeros = Object.fromEntries(
    ["headTimeout", "bodyTimeout", "writeTimeout", "idleTimeout", "requests"].map((k) => [k, 0]),
  );
  const served = serveLight(listener, () => ({ status: 200, body: "x" }), {
    signal: stop.signal,
    clock,
    maxConnections: 0,
    limits: { ...zeros, maxSize: undefined },
  }).finished;
  using conn = await memory.connect(listener.addr);
  const request = bytes("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await conn.write(request);
  const first = await readText(conn, 9);
  assert.equal(first, "HTTP/1.1 ");
  await clock.advance(HTTP_LIMITS.idleTimeout * 100);
  await conn.write(request);
  let text = "";
  while (text.split("HTTP/1.1 200").length < 2) text += await readText(conn, 1);
  stop.abort();
  await clock.advance(0);
  await served;
});

test("arguments: maxConnections 0 serves everybody, and 1 one at a time", async () => {
  const stop = new AbortController();
  const listener = await memory.listen();
  const served = serve(listener, echo(), { signal: stop.signal, maxConnections: 0 }).finished;
  const conns = await Promise.all(Array.from({ length: 3 }, () => memory.connect(listener.addr)));
  for (const conn of conns) {
    await conn.write(bytes("x"));
    assert.equal(await readText(conn, 1), "x");
  }
  for (const conn of conns) conn.close();
  stop.abort();
  assert.equal((await served).accepted, 3);
  await rejects(memory.connect(listener.addr), "ECONNREFUSED");
});
