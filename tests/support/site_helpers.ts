// What tests of the web file server have in common.

import { Buffer } from "node:buffer";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Pieces } from "../../lib/http/message/content_pieces.ts";
import type {
  LightBody,
  LightHandler,
  LightRequest,
  LightResponse,
} from "../../lib/http/server/light.ts";

/** A directory that is removed when it is disposed of. */
export interface Site extends AsyncDisposable {
  readonly root: string;
  /** The path of a file in it. */
  path(name: string): string;
}

/** Makes a directory with files in it, by their paths; a path that ends in a slash is a directory. */
export async function makeSite(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<Site> {
  const root = await mkdtemp(join(tmpdir(), "plainsocket-site-"));
  // A turn of the event loop for each of a thousand files costs more than the files; to remove them, too.
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(path, content);
  }
  return {
    root,
    path: (name) => join(root, name),
    [Symbol.asyncDispose]() {
      rmSync(root, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

/** A request without a connection. */
export interface Question {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body as it comes in: what is thrown on the way is what reading rejects with. */
  readonly body?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** A reply with its content read. */
export interface Answer {
  readonly status: number;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Makes a request that reuses what it lends, as that of a connection may. */
export function lightRequest(
  { method = "GET", target, headers = {}, body }: Question,
): LightRequest {
  const fields: Record<string, string> = { host: "127.0.0.1:8080" };
  for (const [name, value] of Object.entries(headers)) fields[name.toLowerCase()] = value;
  return {
    method,
    target,
    minor: 1,
    scheme: "http",
    host: fields.host,
    headers: Object.entries(fields).flat(),
    localAddr: { transport: "tcp", host: "127.0.0.1", port: 8080 },
    remoteAddr: { transport: "tcp", host: "127.0.0.1", port: 50000 },
    body: body && lending(body),
    header: (name) => fields[name.toLowerCase()],
    signal: () => new AbortController().signal,
  };
}

/** A body that lends one buffer. */
function lending(body: NonNullable<Question["body"]>): LightBody {
  async function* borrowed() {
    const buffer = Buffer.alloc(1 << 20);
    let length = 0;
    for await (const piece of body) {
      buffer.fill("!", 0, length);
      buffer.set(piece);
      length = piece.length;
      yield buffer.subarray(0, length);
    }
  }
  const pieces = borrowed();
  const read = async () => {
    const { done, value } = await pieces.next();
    return done ? null : new Uint8Array(value);
  };
  return { length: undefined, read, borrowed, [Symbol.asyncIterator]: () => new Pieces(read) };
}

/** Has a handler answer, without a connection. */
export async function ask(handler: LightHandler, question: Question): Promise<Answer> {
  const reply = await handler(lightRequest(question));
  const headers: Record<string, string> = {};
  for (let i = 0; i < (reply.headers?.length ?? 0); i += 2) {
    const name = reply.headers![i].toLowerCase();
    const value = reply.headers![i + 1];
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { status: reply.status, headers, text: await textOf(reply) };
}

async function textOf({ body }: LightResponse): Promise<string> {
  if (body === undefined || typeof body === "string") return body ?? "";
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks).toString();
}
