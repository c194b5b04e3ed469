// HTTP with networks that are slow, lossy and cut: up to 1,000 seeds for each contract.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { HttpError } from "../../lib/http/message/errors.ts";
import { requestHttp } from "../../lib/http/client/request.ts";
import { RequestError } from "../../lib/http/client/errors.ts";
import type { LightRequest } from "../../lib/http/server/light.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { SocketError } from "../../lib/base/errors.ts";
import type { World } from "../../lib/simulate/simulate.ts";
import { disturb, holds, randomBytes, range, receive, send } from "./simulated_worlds.ts";

const HERE = { host: "", port: 80 };
const SERVER = { host: "server", port: 80 };

/** All bytes of a body. */
async function bodyOf(message: { read(): Promise<Uint8Array | null> }): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let piece; (piece = await message.read()) !== null;) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Bytes in pieces, with pauses now and then. */
async function* inPieces(world: World, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const { random } = world;
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.integer(700);
    yield bytes.subarray(at, at + size);
    at += size;
    if (random.integer(3) === 0) await world.sleep(random.integer(50));
  }
}

/** Serves HTTP on the host `server`; `stop()` resolves when all of it has ended. */
async function serving(
  world: World,
  answer: (request: LightRequest, body: Buffer) => Buffer,
): Promise<{ stop(): Promise<void> }> {
  const { random, clock } = world;
  const listener = await world.host("server").listen(HERE);
  const [end, errors] = [new AbortController(), [] as unknown[]];
  const served = serveLight(listener, async (request) => {
    const body = answer(
      request,
      request.body === undefined ? Buffer.alloc(0) : await bodyOf(request.body),
    );
    if (random.integer(3) === 0) await world.sleep(random.integer(100));
    const headers = ["Content-Type", "application/octet-stream"];
    const kind = random.integer(3);
    if (kind === 0) return { status: 200, headers, body };
    const length = kind === 1 ? body.length : undefined;
    return { status: 200, headers, length, body: inPieces(world, body) };
  }, {
    signal: end.signal,
    clock,
    onError: (error) => {
      const ofPeer = error instanceof SocketError || error instanceof HttpError;
      if (!ofPeer) errors.push(error);
    },
  }).finished;
  return {
    async stop(): Promise<void> {
      end.abort();
      await served;
      assert.deepEqual(errors, []);
    },
  };
}

/** A request with a body, as it stands on the wire. */
function onTheWire(world: World, path: string, body: Buffer): Buffer {
  const { random } = world;
  const head = `POST ${path} HTTP/1.1\r\nHost: server\r\n`;
  if (random.integer(2) === 0) {
    return Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body]);
  }
  const chunks: Buffer[] = [Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`)];
  for (let at = 0; at < body.length;) {
    const chunk = body.subarray(at, at + 1 + random.integer(400));
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
    at += chunk.length;
  }
  return Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")]);
}

/** The bodies of the responses in a stream. */
function bodiesIn(stream: Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  for (let at = 0; at < stream.length;) {
    const end = stream.indexOf("\r\n\r\n", at) + 4;
    const head = stream.toString("latin1", at, end);
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    at = end;
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length !== undefined) {
      bodies.push(stream.subarray(at, at += Number(length)));
      continue;
    }
    const pieces: Buffer[] = [];
    for (let size = -1; size !== 0;) {
      const line = stream.indexOf("\r\n", at);
      size = parseInt(stream.toString("latin1", at, line), 16);
      pieces.push(stream.subarray(line + 2, line + 2 + size));
      at = line + 2 + size + 2;
    }
    bodies.push(Buffer.concat(pieces));
  }
  return bodies;
}

holds("an HTTP server answers requests in order, however they are sent", async (world) => {
  const asked: string[] = [];
  const server = await serving(world, ({ target }, body) => {
    asked.push(target);
    return Buffer.concat([Buffer.from(target), body]);
  });
  disturb(world, "client", "server");
  const bodies = range(1 + world.random.integer(3)).map(() => randomBytes(world, 800));
  const requests = bodies.map((body, i) => onTheWire(world, `/${i}`, body));
  const conn = await world.host("client").connect(SERVER);
  const sending = send(world, conn, Buffer.concat(requests)).then(() => conn.closeWrite());
  const got = bodiesIn(await receive(world, conn));
  await sending;
  conn.close();
  assert.deepEqual(asked, bodies.map((_, i) => `/${i}`));
  assert.deepEqual(got, bodies.map((body, i) => Buffer.concat([Buffer.from(`/${i}`), body])));
  await server.stop();
});

holds("an HTTP client sends the whole body, and gets the whole body", async (world) => {
  const { random, clock } = world;
  const [up, down] = [randomBytes(world, 1500), randomBytes(world, 1500)];
  let asked: Buffer = Buffer.alloc(0);
  const server = await serving(world, (_, body) => {
    asked = body;
    return down;
  });
  disturb(world, "client", "server");
  const stream = random.integer(2) === 0;
  const response = await requestHttp(world.host("client"), {
    url: "http://server/",
    method: "POST",
    body: stream ? inPieces(world, up) : up,
    connectTimeout: 0,
    clock,
  });
  assert.equal(response.status, 200);
  assert.deepEqual(await bodyOf(response), down);
  assert.deepEqual(asked, up);
  await server.stop();
});

holds("an HTTP client never takes a part of a body for all of it", async (world) => {
  const { random, clock } = world;
  const listener = await world.host("server").listen(HERE);
  disturb(world, "client", "server");
  const body = randomBytes(world, 600);
  const response = random.integer(2) === 0
    ? Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`),
      body,
    ])
    : Buffer.concat([
      Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
      Buffer.from(body.length === 0 ? "" : `${body.length.toString(16)}\r\n`),
      body,
      Buffer.from(body.length === 0 ? "0\r\n\r\n" : "\r\n0\r\n\r\n"),
    ]);
  const cut = random.integer(2) === 0 ? response.length : random.integer(response.length);
  const ending = (async () => {
    const conn = await listener.accept();
    await conn.read(new Uint8Array(1000));
    await send(world, conn, response.subarray(0, cut)).catch(() => {});
    if (cut < response.length && random.integer(2) === 0) conn.reset();
    else conn.close();
  })();
  const getting = (async () => {
    const response = await requestHttp(world.host("client"), {
      url: "http://server/",
      connectTimeout: 0,
      clock,
    });
    return await bodyOf(response);
  })();
  if (cut === response.length) assert.deepEqual(await getting, body);
  else {
    await assert.rejects(
      getting,
      (error) =>
        error instanceof RequestError || error instanceof SocketError || error instanceof HttpError,
    );
  }
  await ending;
  listener.close();
});
