// Connections as Mermaid's parser and an XML parser read them, whatever was recorded.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SaxesParser } from "saxes";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { observe } from "../../lib/observe/observe.ts";
import { connectionsOf } from "../../lib/recording/connections.ts";
import { liveDiagram } from "../../lib/recording/live_diagram.ts";
import { toMermaid } from "../../lib/recording/mermaid.ts";
import { sequenceOf } from "../../lib/recording/sequence_diagram.ts";
import { toSvg } from "../../lib/recording/svg.ts";
import { summaryOf, toText } from "../../lib/recording/text.ts";
import { share } from "../support/cases.ts";
import { accepted, anyRecording, type Line, recordingOf } from "../support/recordings.ts";

/** What Mermaid finds in a sequence diagram. */
interface Diagram {
  getActors(): Map<string, { readonly description: string }>;
  getMessages(): { readonly message: string; readonly from: string; readonly to: string }[];
}

/**
 * Mermaid in few files: to load the hundreds of the package's entry takes six times as long. It cleans
 * HTML with DOMPurify, which looks for a document when it is loaded, and leaves texts as they are if that
 * can do nothing.
 */
async function loadMermaid() {
  const document = { nodeType: 9, createElement: () => ({}) };
  Object.assign(globalThis, { window: { document, Element: class {} } });
  try {
    return (await import("mermaid/dist/mermaid.esm.min.mjs" as string)).default;
  } finally {
    Reflect.deleteProperty(globalThis, "window");
  }
}

const mermaid = await loadMermaid();

/** Reads a diagram as Mermaid does. Rejects if it is not one. */
async function parsed(text: string): Promise<Diagram> {
  assert.equal((await mermaid.parse(text)).diagramType, "sequence");
  return (await mermaid.mermaidAPI.getDiagramFromText(text)).db;
}

/** Mermaid keeps `#35;` as these characters up to the end. */
const textOf = (message: string) =>
  message.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)));

const HOSTILE: readonly Line[] = accepted([
  ["client", "end\nloop x\n%%{init: {}}%%"],
  ["server", "C2->>S2: #quot;<img src=x onerror=alert(1)>;"],
]);

test("mermaid: a diagram says who sent what to whom", async () => {
  const diagram = await parsed(toMermaid(await recordingOf(accepted([["client", "a;b"]]))));
  const said = diagram.getMessages().map(({ from, to, message }) => [from, to, textOf(message)]);
  assert.deepEqual(said, [
    ["C1", "S1", "Connection 1"],
    ["C1", "S1", "0.000 ms connect"],
    ["C1", "S1", "1.000 ms 3 B a;b"],
    ["C1", "S1", "2.000 ms FIN"],
    ["S1", "C1", "3.000 ms close"],
  ]);
});

test("mermaid: whatever was recorded is text of a diagram, and nothing else of it", async () => {
  const recordings = [HOSTILE, [], ...fc.sample(anyRecording, { numRuns: share(100), seed: 1 })];
  for (const lines of recordings) {
    const recording = await recordingOf(lines);
    const connections = connectionsOf(recording);
    const text = toMermaid(recording);
    const diagram = await parsed(text);
    const expected = connections.map((connection) => sequenceOf(connection).length + 1);
    assert.equal(diagram.getActors().size, 2 * connections.length, text);
    assert.equal(diagram.getMessages().length, expected.reduce((a, b) => a + b, 0), text);
  }
});

/** The texts of an XML document. Throws if it is not well-formed. */
function textsOf(xml: string): { texts: string[]; elements: Set<string> } {
  const [texts, elements] = [[] as string[], new Set<string>()];
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name }) => void elements.add(name));
  parser.on("text", (text) => void texts.push(text));
  parser.write(xml).close();
  return { texts, elements };
}

test("svg: whatever was recorded is text of a well-formed drawing, and nothing else of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyRecording, fc.constant(HOSTILE)), async (lines) => {
      const { elements } = textsOf(toSvg(await recordingOf(lines)));
      const drawn = ["svg", "style", "rect", "g", "text", "line", "path"];
      assert.deepEqual([...elements].filter((name) => !drawn.includes(name)), []);
    }),
    { numRuns: share(100) },
  );
});

test("svg: it has the bytes, the sizes and the times", async () => {
  const { texts } = textsOf(toSvg(await recordingOf(HOSTILE)));
  for (const text of ["client 127.0.0.1:50002", "1.000 ms", "FIN", "close"]) {
    assert.ok(texts.includes(text), text);
  }
  assert.ok(texts.some((text) => text.includes("<img src=x")), String(texts));
});

test("svg: a long name keeps its end", async () => {
  const path = `/home/somebody/${"folder/".repeat(20)}app.sock`;
  const addr = { transport: "unix", path };
  const ipv6 = { transport: "tcp", host: "2001:db8:1234:5678:9abc:def0:1234:5678", port: 54321 };
  const { texts } = textsOf(
    toSvg(
      await recordingOf([
        { type: "accept", socket: 2, listener: 1, localAddr: addr, remoteAddr: ipv6 },
      ]),
    ),
  );
  const [client, server] = ["client", "server"].map((name) =>
    texts.find((text) => text.startsWith(name))!
  );
  assert.equal(client, "client …01:db8:1234:5678:9abc:def0:1234:5678]:54321");
  assert.match(server, /^server ….*folder\/app\.sock$/);
  assert.ok(server.length <= 51, server);
});

test("text: whatever was recorded, no control character gets into a terminal", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyRecording, fc.constant(HOSTILE)), async (lines) => {
      const recording = await recordingOf(lines);
      const text = summaryOf(recording) + toText(recording);
      assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
    }),
    { numRuns: share(100) },
  );
});

test("text: a connection is two columns, and no line is wider than 80", async () => {
  const drawing = toText(
    await recordingOf(accepted([
      ["client", "GET / HTTP/1.1\r\n\r\n"],
      ["server", "日本語 ".repeat(20)],
      ["server", new Uint8Array([0xff, 0])],
    ])),
  );
  assert.deepEqual(drawing.split("\n"), [
    "#1               client                                                  server",
    "                 127.0.0.1:50002                                   127.0.0.1:80",
    "        0.000 ms ├─ connect ─────────────────────────────────────────────────▶│",
    "        1.000 ms ├─ 18 B  GET / HTTP/1.1↵↵ ──────────────────────────────────▶│",
    "        2.000 ms │◀─ 200 B  日本語 日本語 日本語 日本語 日本語 日本語 日本… ──┤",
    "        3.000 ms │◀─ 2 B  ff 00 ──────────────────────────────────────────────┤",
    "        4.000 ms ├╌ FIN ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▶│",
    "        5.000 ms │◀╌ close ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┤",
    "",
  ]);
});

test("live diagram: connections are drawn as they go on, in the words of bytes unless others are given", async () => {
  const transport = new MemoryTransport();
  let drawn = "";
  const put = (lines: string) => drawn += lines;
  const nameOf = () => "Ann";
  using listener = await transport.listen({ host: "localhost", port: 7 });
  for (const words of [undefined, { sides: ["browser", "hub", "origin"], nameOf }]) {
    const sink = liveDiagram({ put, width: () => 72 }, words);
    using conn = await observe(transport, sink).connect({ host: "localhost", port: 7 });
    using accepted = await listener.accept();
    await conn.write(new Uint8Array([0x47, 0x45, 0x54, 10]));
    accepted.reset();
    await assert.rejects(conn.read(new Uint8Array(1)), { code: "ECONNRESET" });
  }
  const lines = drawn.split("\n");
  assert.ok(lines.every((line) => line.length <= 72), drawn);
  assert.match(drawn, /^#1 trying localhost:7\n#1 +client \(this side\) +server\n/m);
  assert.match(drawn, /^#1 .* ├─ 4 B +GET↵ ─+▶│$/m);
  assert.match(drawn, /^#1 .* │✗─ RST ─+┤$/m);
  assert.match(drawn, /^#1 +browser +hub \(this side\) +origin$/m);
  assert.match(drawn, /^#1 .* │ +├─ 4 B +Ann: GET↵ ─+▶│$/m);
});

test("drawings: what is too large is a RangeError that says how large, and text has no such bound", async () => {
  const conversation = (steps: number): Line[] => [
    ...accepted([]).slice(0, 1),
    ...Array.from({ length: steps - 1 }, () => ({ type: "send", socket: 2, size: 1 }) as Line),
  ];
  const [largest, tooLarge] = [
    await recordingOf(conversation(10_000)),
    await recordingOf(conversation(10_001)),
  ];
  for (const draw of [toSvg, toMermaid]) {
    assert.ok(draw(largest).length > 10_000);
    assert.throws(() => draw(tooLarge), {
      name: "RangeError",
      message: "a drawing has at most 10000 steps, and these are 10001",
    });
  }
  assert.ok(toText(tooLarge).length > 10_000);
});
