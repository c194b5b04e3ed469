// The MUSTs of RFC 6455, sections 4 to 8, each with a test that has its section in its name; those on
// the bytes of frames alone are in ws_frame_test.ts, and those on what comes before the request in
// rfc6455_opening_test.ts. docs/websocket_rfc.md has all of them, and says which are left out.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { VirtualClock } from "../../../lib/base/virtual_clock.ts";
import { serveLight } from "../../../lib/http/server/server.ts";
import { dialWebSocket, type WsDialOptions } from "../../../lib/http/ws/client.ts";
import { acceptOf } from "../../../lib/http/ws/handshake.ts";
import { websocket, type WsServerOptions } from "../../../lib/http/ws/server.ts";
import { MemoryTransport } from "../../../lib/net/memory/transport.ts";
import type { Conn } from "../../../lib/net/transport.ts";
import { bytes, readAll } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";
import {
  BINARY,
  CLOSING,
  closing,
  CONTINUATION,
  encoded,
  engine,
  type Frame,
  PING,
  PONG,
  TEXT,
} from "./ws_peer.ts";

function must(section: string, what: string, holds: () => Promise<void> | void): void {
  test(`RFC 6455 ${section}: ${what}`, holds);
}

const nothing = new Uint8Array();

// Section 4: the opening handshake.

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

const REQUEST = [
  "GET /chat HTTP/1.1",
  "Host: a",
  "Connection: keep-alive, Upgrade",
  "Upgrade: WebSocket",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${KEY}`,
];

/** The head of a server's response to a request with these lines. */
async function answerTo(
  lines: readonly string[],
  options: WsServerOptions = {},
): Promise<string> {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const server = serveLight(listener, websocket((ws) => void ws.abort(), options));
  using conn = await transport.connect({ host: "localhost", port: 80 });
  await conn.write(bytes(`${lines.join("\r\n")}\r\n\r\n`));
  const head = await headOf(conn);
  conn.close();
  await server.stop();
  return head;
}

/** Reads to the end of a head. */
async function headOf(conn: Conn): Promise<string> {
  let head = "";
  const one = new Uint8Array(1);
  while (!head.endsWith("\r\n\r\n")) {
    assert.equal(await conn.read(one), 1, "The connection ended inside the head");
    head += String.fromCharCode(one[0]);
  }
  return head;
}

/** The lines of the request, some replaced or, with "", left out, and more behind them. */
function changed(changes: Readonly<Record<string, string>>, ...more: string[]): string[] {
  const lines = REQUEST.map((line) =>
    Object.entries(changes).find(([start]) => line.startsWith(start))?.[1] ?? line
  );
  return [...lines, ...more].filter((line) => line !== "");
}

must(
  "4.2.2",
  "the response has 101, Upgrade, Connection and the accept key of the RFC's example",
  async () => {
    const head = await answerTo(REQUEST);
    assert.match(head, /^HTTP\/1\.1 101 /);
    assert.match(head, /\r\nUpgrade: websocket\r\n/i);
    assert.match(head, /\r\nConnection: Upgrade\r\n/i);
    assert.match(head, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    assert.doesNotMatch(head, /Sec-WebSocket-(Protocol|Extensions)/i);
  },
);

for (
  const [what, status, lines, field] of [
    ["a method other than GET", 405, changed({ GET: "POST /chat HTTP/1.1" }, "Content-Length: 0")],
    ["HTTP/1.0", 426, changed({ GET: "GET /chat HTTP/1.0" })],
    ["no Host", 400, changed({ Host: "" })],
    ["two Hosts", 400, changed({}, "Host: b")],
    ["no Upgrade", 426, changed({ Upgrade: "" }), /Upgrade: websocket/i],
    ["another Upgrade", 426, changed({ Upgrade: "Upgrade: h2c" }), /Upgrade: websocket/i],
    ["no Connection", 426, changed({ Connection: "" })],
    ["another Connection", 426, changed({ Connection: "Connection: keep-alive" })],
    ["no key", 400, changed({ "Sec-WebSocket-Key": "" })],
    [
      "a key of 15 bytes",
      400,
      changed({ "Sec-WebSocket-Key": "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA" }),
    ],
    [
      "a key of 17 bytes",
      400,
      changed({ "Sec-WebSocket-Key": "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=" }),
    ],
    [
      "a key that is not base64",
      400,
      changed({ "Sec-WebSocket-Key": "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==" }),
    ],
    ["two keys", 400, changed({}, `Sec-WebSocket-Key: ${KEY}`)],
    ["no version", 426, changed({ "Sec-WebSocket-Version": "" }), /Sec-WebSocket-Version: 13/],
    [
      "version 8",
      426,
      changed({ "Sec-WebSocket-Version": "Sec-WebSocket-Version: 8" }),
      /Sec-WebSocket-Version: 13/,
    ],
    ["another origin", 403, changed({}, "Origin: http://evil.example")],
    ["a subprotocol twice", 400, changed({}, "Sec-WebSocket-Protocol: a, a")],
    ["a subprotocol that is no token", 400, changed({}, "Sec-WebSocket-Protocol: a b")],
    ["subprotocols that are all empty", 400, changed({}, "Sec-WebSocket-Protocol: ,")],
    ["extensions that are not valid", 400, changed({}, "Sec-WebSocket-Extensions: a; =1")],
  ] as const
) {
  must("4.2.1", `a request with ${what} is answered with ${status}`, async () => {
    const head = await answerTo(lines);
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(head, field ?? /./);
  });
}

must(
  "4.2.2",
  "the subprotocol is one that the client asks for, also where several fields ask",
  async () => {
    const fields = ["Sec-WebSocket-Protocol: x, b", "Sec-WebSocket-Protocol: a"];
    const head = await answerTo(changed({}, ...fields), { protocols: ["a", "b"] });
    assert.match(head, /\r\nSec-WebSocket-Protocol: b\r\n/);
    const gaps = await answerTo(changed({}, "Sec-WebSocket-Protocol: ,, b ,"), {
      protocols: ["b"],
    });
    assert.match(gaps, /\r\nSec-WebSocket-Protocol: b\r\n/);
    const none = await answerTo(changed({}, fields[0]), { protocols: ["y"] });
    assert.doesNotMatch(none, /Sec-WebSocket-Protocol/);
  },
);

must("4.2.2", "no extension is accepted that the client has not offered", async () => {
  const head = await answerTo(REQUEST, { deflate: true });
  assert.doesNotMatch(head, /Sec-WebSocket-Extensions/i);
});

must("9.1", "extensions that are not known are declined, and none is accepted twice", async () => {
  const fields = [
    "Sec-WebSocket-Extensions: , foo; bar=1,, permessage-deflate; server_max_window_bits=8",
    'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits="10", permessage-deflate',
  ];
  const head = await answerTo(changed({}, ...fields), { deflate: true });
  const [, accepted] = /\r\nSec-WebSocket-Extensions: (.*)\r\n/.exec(head) ?? [];
  assert.match(accepted, /^permessage-deflate;/);
  assert.match(accepted, /; server_max_window_bits=10(;|$)/);
  assert.doesNotMatch(accepted, /,/);
});

/** A server by hand: answers one request with what `response` makes of its key. */
async function dialed(
  response: (key: string) => string | Uint8Array,
  { url = "ws://localhost/chat?x=1", ...options }: WsDialOptions & { url?: string } = {},
): Promise<string> {
  const transport = new MemoryTransport();
  using listener = await transport.listen({ port: 80 });
  const dialing = dialWebSocket(url, { transport, ...options });
  dialing.catch(() => {});
  using conn = await listener.accept();
  const head = await headOf(conn);
  const [, key] = /\r\nSec-WebSocket-Key: (.*)\r\n/.exec(head)!;
  await conn.write(Buffer.from(response(key) as string));
  const ws = await dialing;
  ws.abort();
  return head;
}

const accepting = (key: string, ...more: string[]) =>
  [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    ...more,
    "",
    "",
  ].join("\r\n");

must("4.1", "the client's request has all that belongs to it", async () => {
  const protocols = ["chat.v2", "chat"];
  const heads = [
    await dialed(accepting, { protocols, headers: ["Origin", "http://a"] }),
    await dialed(accepting),
  ];
  assert.match(heads[0], /^GET \/chat\?x=1 HTTP\/1\.1\r\n/);
  for (
    const field of [
      /\r\nHost: localhost\r\n/i,
      /\r\nUpgrade: websocket\r\n/i,
      /\r\nConnection: Upgrade\r\n/i,
      /\r\nSec-WebSocket-Version: 13\r\n/i,
      /\r\nSec-WebSocket-Protocol: chat\.v2, chat\r\n/i,
      /\r\nOrigin: http:\/\/a\r\n/i,
    ]
  ) assert.match(heads[0], field);
  assert.doesNotMatch(heads[1], /Sec-WebSocket-(Protocol|Extensions)|Origin/i);
  const keys = heads.map((head) => /\r\nSec-WebSocket-Key: (.*)\r\n/i.exec(head)![1]);
  assert.deepEqual(keys.map((key) => Buffer.from(key, "base64").length), [16, 16]);
  assert.notEqual(keys[0], keys[1]);
});

const without = (name: string) => (key: string) =>
  accepting(key).split("\r\n").filter((line) => !line.startsWith(name)).join("\r\n");

for (
  const [what, response] of [
    ["status 200", () => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ["status 401", () => "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"],
    ["no Upgrade", without("Upgrade")],
    ["another Upgrade", (key) => accepting(key).replace("websocket", "h2c")],
    ["no Connection", without("Connection")],
    ["another Connection", (key) => accepting(key).replace(": Upgrade", ": close")],
    ["no accept key", without("Sec-WebSocket-Accept")],
    ["another accept key", (key) => accepting(key.toLowerCase() + "x")],
    ["two accept keys", (key) => accepting(key, `Sec-WebSocket-Accept: ${acceptOf("x")}`)],
    ["a subprotocol not asked for", (key) => accepting(key, "Sec-WebSocket-Protocol: other")],
    ["two subprotocols", (key) => accepting(key, "Sec-WebSocket-Protocol: a, b")],
    [
      "a subprotocol twice",
      (key) => accepting(key, ...["a", "b"].map((p) => `Sec-WebSocket-Protocol: ${p}`)),
    ],
    ["an extension not asked for", (key) => accepting(key, "Sec-WebSocket-Extensions: foo")],
    [
      "compression not asked for",
      (key) => accepting(key, "Sec-WebSocket-Extensions: permessage-deflate"),
    ],
  ] as [string, (key: string) => string][]
) {
  must("4.1", `a response with ${what} fails the connection`, async () => {
    await assert.rejects(dialed(response, { protocols: ["a", "b"] }), { name: "RequestError" });
  });
}

for (
  const [head, next] of [
    ["302 Found\r\nLocation: https://b/c", "It redirects to wss://b/c: connect there."],
    ["401 No", "Send credentials in the header field Authorization."],
    ["403 No", "It may want credentials, or another Origin; its log may say why."],
    ["404 No", "Check the path: WebSockets may have another one."],
    [
      "426 No\r\nSec-WebSocket-Version: 8, 7",
      "It speaks version 8, 7 of WebSocket, and this is 13.",
    ],
    [
      "426 No\r\nSec-WebSocket-Version: 8, 13",
      "A proxy before the server may not pass Upgrade on.",
    ],
    ["503 No", "Try again; if it stays so, the server's log may say why."],
  ]
) {
  must(
    "4.1",
    `a response with ${head.replace("\r\n", ", ")} fails, and says what to do`,
    async () => {
      const refused = dialed(() => `HTTP/1.1 ${head}\r\nContent-Length: 0\r\n\r\n`, {
        url: "ws://me:secret@localhost/",
      });
      const line = head.split("\r\n")[0];
      const message =
        `Cannot get ws://localhost/: the server answered ${line}, not 101 (BAD_STATUS). ${next}`;
      await assert.rejects(refused, { code: "BAD_STATUS", message });
    },
  );
}

must("4.1", "what the server sends right behind its head is read", async () => {
  const transport = new MemoryTransport();
  using listener = await transport.listen({ port: 80 });
  const dialing = dialWebSocket("ws://localhost/", { transport });
  using conn = await listener.accept();
  const [, key] = /\r\nSec-WebSocket-Key: (.*)\r\n/.exec(await headOf(conn))!;
  const first = encoded({ opcode: TEXT, payload: bytes("first") }, false);
  await conn.write(Buffer.concat([Buffer.from(accepting(key)), first]));
  const ws = await dialing;
  assert.equal(await ws.read(), "first");
  ws.abort();
});

// Section 5: frames.

must(
  "5.1",
  "a client masks all of its frames, each with a key of its own; a server masks none",
  async () => {
    for (const role of ["client", "server"] as const) {
      using end = await engine(role);
      const keys = new Set<string>();
      const sent: [number, () => Promise<void>][] = [
        [TEXT, () => end.ws.write("Hello")],
        [BINARY, () => end.ws.write(new Uint8Array(300))],
        [BINARY, () => end.ws.write(new Uint8Array(100_000))],
        [PING, () => end.ws.ping()],
        [PONG, () => end.peer.send({ opcode: PING, payload: bytes("a") })],
        [CLOSING, () => end.ws.close()],
      ];
      for (const [opcode, send] of sent) {
        send().catch(() => {});
        const frame = await end.peer.frame();
        assert.deepEqual([frame?.opcode, frame?.masked], [opcode, role === "client"]);
        keys.add(frame!.key);
      }
      assert.equal(keys.size, role === "client" ? sent.length : 1);
    }
  },
);

must("5.1", "a frame that is masked wrongly closes with 1002, and is not a message", async () => {
  for (const role of ["client", "server"] as const) {
    using end = await engine(role);
    await end.peer.send({ opcode: TEXT, payload: bytes("no"), masked: role === "client" });
    assert.equal(await end.peer.closeCode(), 1002);
    await assert.rejects(end.ws.read(), { name: "WsError", closeCode: 1002 });
  }
});

must(
  "5.3",
  "a payload is as long masked as without, and bytes of the writer's stay as they are",
  async () => {
    using end = await engine("client");
    const message = Uint8Array.from({ length: 200 }, (_, i) => i);
    const before = message.slice();
    await end.ws.write(message);
    assert.deepEqual(new Uint8Array((await end.peer.frame())!.payload), before);
    assert.deepEqual(message, before);
  },
);

const fragments = (...texts: string[]): Frame[] =>
  texts.map((text, i) => ({
    opcode: i === 0 ? TEXT : CONTINUATION,
    fin: i === texts.length - 1,
    payload: bytes(text),
  }));

must(
  "5.4",
  "fragments are one message, also empty ones and with control frames between them",
  async () => {
    using end = await engine("server");
    const [a, b, c] = fragments("Hel", "", "lo");
    const ping = { opcode: PING, payload: bytes("now") };
    const pong = { opcode: PONG, payload: nothing };
    await end.peer.send(a, ping, b, pong, c, ...fragments("", ""), ...fragments("end"));
    assert.deepEqual([await end.ws.read(), await end.ws.read(), await end.ws.read()], [
      "Hello",
      "",
      "end",
    ]);
    const answer = await end.peer.frame();
    assert.deepEqual([answer?.first, answer?.payload.toString()], [0x8a, "now"]);
  },
);

must(
  "5.4",
  "the fragments of a message leave in order, and no other message between them",
  async () => {
    using end = await engine("client");
    let release!: () => void;
    const held = new Promise<void>((resolve) => release = resolve);
    const writing = end.ws.writeStream(
      "text",
      (async function* () {
        yield bytes("one");
        await held;
        yield bytes("two");
      })(),
    );
    const first = await end.peer.frame();
    assert.deepEqual([first?.first, first?.payload.toString()], [TEXT, "one"]);
    const after = end.ws.write("after");
    const pinged = end.ws.ping(bytes("!"));
    assert.equal((await end.peer.frame())?.opcode, PING, "control frames may come between them");
    await end.peer.send({ opcode: PONG, payload: bytes("!") });
    await pinged;
    release();
    const seen: string[] = [];
    for (let i = 0; i < 3; i++) {
      const frame = (await end.peer.frame())!;
      seen.push(`${frame.first} ${frame.payload}`);
    }
    assert.deepEqual(seen, ["0 two", "128 ", "129 after"]);
    await Promise.all([writing, after]);
  },
);

for (
  const [section, what, code, frames] of [
    ["5.2", "a reserved bit", 1002, [{ opcode: TEXT, rsv: 1, payload: nothing }]],
    ["5.2", "a reserved opcode", 1002, [{ opcode: 3, payload: nothing }]],
    ["5.2", "a reserved opcode of a control frame", 1002, [{ opcode: 11, payload: nothing }]],
    ["5.4", "a continuation of nothing", 1002, [{ opcode: CONTINUATION, payload: nothing }]],
    ["5.4", "a message inside another one", 1002, [fragments("a", "b")[0], ...fragments("c")]],
    ["5.5", "a Ping that is too long", 1002, [{ opcode: PING, payload: new Uint8Array(126) }]],
    ["5.5", "a fragmented Ping", 1002, [{ opcode: PING, fin: false, payload: nothing }]],
    ["5.5.1", "a Close frame of one byte", 1002, [{ opcode: CLOSING, payload: Uint8Array.of(3) }]],
    ["5.5.1", "a reason that is not UTF-8", 1007, [{
      opcode: CLOSING,
      payload: closing(1000, Uint8Array.of(0xff)),
    }]],
    ["7.4.1", "the code 1005 in a Close frame", 1002, [{
      opcode: CLOSING,
      payload: closing(1005),
    }]],
    ["7.4.1", "the code 1006 in a Close frame", 1002, [{
      opcode: CLOSING,
      payload: closing(1006),
    }]],
    ["7.4.1", "the code 1015 in a Close frame", 1002, [{
      opcode: CLOSING,
      payload: closing(1015),
    }]],
    ["7.4.2", "the code 999 in a Close frame", 1002, [{ opcode: CLOSING, payload: closing(999) }]],
    ["8.1", "text that is not UTF-8", 1007, [{ opcode: TEXT, payload: Uint8Array.of(0xc0, 0xaf) }]],
    ["8.1", "text that ends inside a character", 1007, [{
      opcode: TEXT,
      payload: Uint8Array.of(0xe2, 0x82),
    }]],
    ["8.1", "fragments that are not UTF-8 together", 1007, [
      { opcode: TEXT, fin: false, payload: Uint8Array.of(0xe2, 0x82) },
      { opcode: CONTINUATION, payload: Uint8Array.of(0x28) },
    ]],
    ["10.4", "a message that is too large", 1009, [{
      opcode: BINARY,
      payload: new Uint8Array(1001),
    }]],
    ["10.4", "fragments that are too large together", 1009, [
      { opcode: BINARY, fin: false, payload: new Uint8Array(999) },
      { opcode: CONTINUATION, payload: new Uint8Array(2) },
    ]],
    ["10.4", "too many fragments", 1008, fragments("a", "b", "c", "d", "e")],
  ] as [string, string, number, Frame[]][]
) {
  must(
    section,
    `${what} closes with ${code}, in each role and wherever the bytes are cut`,
    async () => {
      for (const role of ["client", "server"] as const) {
        for (let cut = 0; cut < 16; cut++) {
          using end = await engine(role, { maxSize: 1000, maxFragments: 4 });
          const all = end.peer.bytesOf(...fragments("good"), ...frames);
          await end.peer.conn.write(all.subarray(0, cut));
          await end.peer.conn.write(all.subarray(cut)).catch(() => {});
          assert.equal(await end.ws.read(), "good");
          await assert.rejects(end.ws.read(), { name: "WsError", closeCode: code });
          assert.equal(await end.peer.closeCode(), code);
          assert.equal(await end.peer.frame(), null, "the engine sends nothing behind it");
          end.peer.conn.close();
          const { reason: _, ...closed } = await end.ws.closed;
          assert.deepEqual(closed, { code, clean: false, by: "self" });
        }
      }
    },
  );
}

must(
  "8.1",
  "text fails with the first byte that cannot be UTF-8, before the rest has come",
  async () => {
    using end = await engine("server");
    const text = Buffer.concat([bytes("κόσμε"), Uint8Array.of(0xed, 0xa0), new Uint8Array(500)]);
    const frame = end.peer.bytesOf({ opcode: TEXT, payload: text });
    const reading = end.ws.read();
    await end.peer.conn.write(frame.subarray(0, 8 + 11));
    await end.peer.conn.write(frame.subarray(8 + 11, 8 + 12));
    await assert.rejects(reading, { closeCode: 1007 });
  },
);

must(
  "5.5.1",
  "a Close frame is answered with its code, once, and its reason is reported",
  async () => {
    for (const role of ["client", "server"] as const) {
      for (const payload of [nothing, closing(1000), closing(3001, "héllo"), closing(4999)]) {
        using end = await engine(role);
        await end.peer.send({ opcode: CLOSING, payload });
        assert.equal(await end.ws.read(), null);
        const answer = await end.peer.frame();
        assert.equal(answer?.first, 0x88);
        assert.deepEqual([...answer!.payload], [...payload.subarray(0, 2)]);
        await assert.rejects(end.ws.write("late"), { code: "EPIPE" });
        await assert.rejects(end.ws.ping(), { code: "EPIPE" });
        end.peer.conn.close();
        const code = payload.length === 0 ? 1005 : payload[0] * 256 + payload[1];
        const reason = Buffer.from(payload.subarray(2)).toString();
        assert.deepEqual(await end.ws.closed, { code, reason, clean: true, by: "peer" });
      }
    }
  },
);

must(
  "5.5.1",
  "nothing is sent behind a Close frame, and what is behind the peer's is not looked at",
  async () => {
    using end = await engine("server");
    const bad = { opcode: 7, payload: nothing };
    await end.peer.send(...fragments("last"), { opcode: CLOSING, payload: closing(1000) }, bad);
    assert.deepEqual([await end.ws.read(), await end.ws.read()], ["last", null]);
    assert.equal(await end.peer.closeCode(), 1000);
    assert.equal((await end.ws.closed).clean, true);
  },
);

must(
  "5.5.1",
  "what comes before the peer's answer to a Close frame is thrown away, Pings too",
  async () => {
    using end = await engine("client");
    const closed = end.ws.close(1001, "bye");
    const frame = await end.peer.frame();
    assert.deepEqual(new Uint8Array(frame!.payload), new Uint8Array(closing(1001, "bye")));
    await end.peer.send(...fragments("a", "b"), { opcode: PING, payload: nothing });
    await end.peer.send({ opcode: CLOSING, payload: closing(1001) });
    end.peer.conn.closeWrite();
    await closed;
    assert.equal(await end.ws.read(), null);
    assert.equal(await end.peer.frame(), null, "no Pong behind a Close frame");
    assert.deepEqual(await end.ws.closed, { code: 1001, reason: "", clean: true, by: "self" });
  },
);

must("5.5.1", "Close frames that cross end it once all that was written has left", async () => {
  for (const role of ["client", "server"] as const) {
    for (const halfClosed of [false, true]) {
      using end = await engine(role);
      const written = end.ws.write(new Uint8Array(3_000_000));
      const closed = end.ws.close(1000);
      await end.peer.send({ opcode: CLOSING, payload: closing(1001) });
      if (halfClosed) await end.peer.conn.closeWrite();
      assert.equal(await end.ws.read(), null);
      const message = await end.peer.frame();
      assert.deepEqual([message?.opcode, message?.payload.length], [BINARY, 3_000_000]);
      assert.equal(await end.peer.closeCode(), 1000);
      if (!halfClosed) end.peer.conn.close();
      await Promise.all([written, closed]);
      assert.deepEqual(await end.ws.closed, { code: 1001, reason: "", clean: true, by: "self" });
    }
  }
});

must(
  "5.5.1",
  "Close is answered while a message is sent whose next piece never comes",
  async () => {
    using end = await engine("server");
    const source = (async function* () {
      yield bytes("one");
      await new Promise(() => {});
    })();
    const writing = end.ws.writeStream("text", source);
    assert.equal((await end.peer.frame())?.payload.toString(), "one");
    const after = end.ws.write("after");
    await end.peer.send({ opcode: CLOSING, payload: closing(1001) });
    assert.equal(await end.peer.closeCode(), 1001);
    assert.equal(await end.peer.frame(), null);
    for (const written of [writing, after]) await assert.rejects(written, { code: "EPIPE" });
    await assert.rejects(end.ws.write("late"), { code: "EPIPE" });
  },
);

must("5.5.1", "nothing of a message follows a Close frame, nor its last frame", async () => {
  using end = await engine("client");
  let release!: () => void;
  const held = new Promise<void>((resolve) => release = resolve);
  const source = (async function* () {
    yield bytes("one");
    await held;
  })();
  const writing = end.ws.writeStream("text", source);
  assert.equal((await end.peer.frame())?.first, TEXT);
  const closed = end.ws.close();
  release();
  await assert.rejects(writing, { code: "EPIPE" });
  assert.equal(await end.peer.closeCode(), 1000);
  await end.peer.send({ opcode: CLOSING, payload: closing(1000) });
  end.peer.conn.closeWrite();
  assert.equal(await end.peer.frame(), null);
  await closed;
});

must("5.5.2", "a Ping is answered with a Pong that has its data", async () => {
  using end = await engine("server");
  for (const payload of [nothing, bytes("data"), new Uint8Array(125).fill(7)]) {
    await end.peer.send({ opcode: PING, payload });
    const pong = await end.peer.frame();
    assert.equal(pong?.first, 0x8a);
    assert.deepEqual(new Uint8Array(pong!.payload), payload);
  }
});

must(
  "5.5.3",
  "of Pings that come together the last is answered; Pongs that nobody asked for are not",
  async () => {
    using end = await engine("server");
    const pings = Array.from({ length: 50 }, (_, i) => ({ opcode: PING, payload: bytes(`${i}`) }));
    await end.peer.send({ opcode: PONG, payload: bytes("unasked") }, ...pings);
    const answers: string[] = [];
    while (answers.at(-1) !== "49") {
      const frame = (await end.peer.frame())!;
      assert.equal(frame.opcode, PONG);
      answers.push(frame.payload.toString());
    }
    assert.deepEqual(answers, answers.toSorted((a, b) => Number(a) - Number(b)));
  },
);

must("5.6", "text and bytes have an opcode each", async () => {
  using end = await engine("server");
  await Promise.all([end.ws.write("é"), end.ws.write(Uint8Array.of(1)), end.ws.write("")]);
  const seen: string[] = [];
  for (let i = 0; i < 3; i++) {
    const frame = (await end.peer.frame())!;
    seen.push(`${frame.first} ${frame.payload.toString("hex")}`);
  }
  assert.deepEqual(seen, ["129 c3a9", "130 01", "129 "]);
});

must(
  "5.6",
  "a character may be in two fragments; a byte order mark is part of the text",
  async () => {
    using end = await engine("server");
    const text = "\ufeff€";
    const all = bytes(text);
    for (let cut = 0; cut <= all.length; cut++) {
      await end.peer.send(
        { opcode: TEXT, fin: false, payload: all.subarray(0, cut) },
        { opcode: CONTINUATION, payload: all.subarray(cut) },
      );
      assert.equal(await end.ws.read(), text);
    }
  },
);

// Sections 6 and 7: sending, receiving and closing.

must("6.1", "what is written after closing is refused, in each state", async () => {
  using end = await engine("client");
  const closed = end.ws.close();
  await assert.rejects(end.ws.write("a"), { code: "EPIPE" });
  await assert.rejects(end.ws.writeStream("text", (async function* () {})()), { code: "EPIPE" });
  end.peer.conn.close();
  await closed;
  await assert.rejects(end.ws.write("a"), { code: "EPIPE" });
});

must("6.1", "a message that is sent piece by piece is abandoned when the peer closes", async () => {
  using end = await engine("client");
  let taken = 0;
  const writing = end.ws.writeStream(
    "text",
    (async function* () {
      for (; taken < 10; taken++) {
        yield bytes("piece");
        if (taken > 0) continue;
        await end.peer.send({ opcode: CLOSING, payload: closing(1001) });
        assert.equal(await end.ws.read(), null);
      }
    })(),
  );
  await assert.rejects(writing, { code: "EPIPE" });
  assert.equal(taken, 1);
  const frames = [await end.peer.frame(), await end.peer.frame()];
  assert.deepEqual(frames.map((frame) => frame?.first), [TEXT, 0x88]);
});

must(
  "6.2",
  "types and bytes are those that were sent, and what follows the last fragment is another message",
  async () => {
    for (const role of ["client", "server"] as const) {
      using end = await engine(role);
      const binary = Uint8Array.from({ length: 300 }, (_, i) => i);
      await end.peer.send(
        { opcode: BINARY, fin: false, payload: binary.subarray(0, 7) },
        { opcode: CONTINUATION, payload: binary.subarray(7) },
        ...fragments("text"),
        { opcode: BINARY, payload: nothing },
        ...fragments("a", "b"),
      );
      assert.deepEqual(new Uint8Array(await end.ws.read() as Uint8Array), binary);
      assert.equal(await end.ws.read(), "text");
      assert.deepEqual(new Uint8Array(await end.ws.read() as Uint8Array), nothing);
      assert.equal(await end.ws.read(), "ab");
    }
  },
);

must("7.1.1", "the server closes TCP first: a client waits for it, but not for ever", async () => {
  using server = await engine("server");
  await server.peer.send({ opcode: CLOSING, payload: closing(1000) });
  await server.peer.frame();
  assert.equal(await server.peer.frame(), null);

  const clock = new VirtualClock();
  using client = await engine("client", { clock, closeTimeout: 700 });
  let over = false;
  void client.ws.closed.then(() => over = true);
  await client.peer.send({ opcode: CLOSING, payload: closing(1000) });
  await client.peer.frame();
  await clock.advance(699);
  assert.equal(over, false);
  await clock.advance(1);
  assert.equal((await client.ws.closed).clean, true);
});

must(
  "7.1.2",
  "closing sends a Close frame with the code and the reason, in each role",
  async () => {
    for (const role of ["client", "server"] as const) {
      using end = await engine(role);
      const closed = end.ws.close(4321, "enöugh");
      const frame = await end.peer.frame();
      assert.equal(frame?.first, 0x88);
      assert.deepEqual(new Uint8Array(frame!.payload), new Uint8Array(closing(4321, "enöugh")));
      end.peer.conn.close();
      await closed;
    }
  },
);

must(
  "7.2.1",
  "a connection that is reset fails the WebSocket, with what the socket says",
  async () => {
    using end = await engine("client");
    await end.peer.send(...fragments("whole"));
    const reading = end.ws.read();
    assert.equal(await reading, "whole");
    end.peer.conn.reset();
    await assert.rejects(end.ws.read(), { code: "ECONNRESET" });
    assert.deepEqual(await end.ws.closed, { code: 1006, reason: "", clean: false, by: "peer" });
  },
);

must("7.1.5", "the code of a connection that ends without a Close frame is 1006", async () => {
  for (const role of ["client", "server"] as const) {
    using end = await engine(role);
    await end.peer.send(...fragments("whole"), fragments("half", "")[0]);
    end.peer.conn.close();
    assert.equal(await end.ws.read(), "whole");
    await assert.rejects(end.ws.read(), { name: "WsError", closeCode: 1006 });
    const expected = { code: 1006, reason: "", clean: false, by: "peer" };
    assert.deepEqual(await end.ws.closed, expected);
  }
});

must(
  "7.1.7",
  "after a violation no more of what comes is processed, Pings and messages included",
  async () => {
    using end = await engine("server");
    await end.peer.send({ opcode: TEXT, rsv: 2, payload: nothing });
    await end.peer.send({ opcode: PING, payload: nothing }, ...fragments("more")).catch(() => {});
    end.peer.conn.closeWrite();
    await assert.rejects(end.ws.read(), { closeCode: 1002 });
    await assert.rejects(end.ws.read(), { closeCode: 1002 });
    const rest = await readAll(end.peer.conn);
    assert.equal(rest[0], 0x88);
    assert.equal(rest.length, 2 + rest[1], "one Close frame, and nothing behind it");
  },
);

must(
  "7.4.1",
  "no Close frame is sent with a code that is for reports only, or not registered",
  async () => {
    using end = await engine("client");
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, NaN]) {
      await assert.rejects(end.ws.close(code), RangeError, `${code}`);
    }
    await assert.rejects(end.ws.close(1000, "€".repeat(42)), RangeError);
    const closed = end.ws.close(4000, "€".repeat(41));
    const frame = await end.peer.frame();
    assert.deepEqual([frame?.payload.length, frame?.payload.readUInt16BE()], [125, 4000]);
    end.peer.conn.close();
    await closed;
  },
);

must("5.4", "a message that is read piece by piece has as many fragments as it likes", async () => {
  using end = await engine("server", { maxSize: 10, maxFragments: 4 });
  const reading = end.ws.readStream();
  await end.peer.send(...fragments(..."abcdefghijklmnopqrstuvwxyz"), ...fragments("ok"));
  let text = "";
  for await (const piece of (await reading)!) text += Buffer.from(piece);
  assert.equal(text, "abcdefghijklmnopqrstuvwxyz");
  assert.equal(await end.ws.read(), "ok");
});
