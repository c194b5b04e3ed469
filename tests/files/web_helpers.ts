// A site on disk, and the file server on it, talked to byte by byte through memory.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Conn } from "../../lib/net/transport.ts";
import type { FileOptions } from "../../lib/files/file_options.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { bytes, readAll } from "../support/helpers.ts";

/** When the files of a site were last modified, unless it is said. */
export const MODIFIED: Date = new Date("2024-01-02T03:04:05Z");
export const LAST_MODIFIED = "Tue, 02 Jan 2024 03:04:05 GMT";

export interface Answer {
  readonly status: number;
  /** The fields with names in lower case, without Date. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
}

export interface Site extends AsyncDisposable {
  /** The folder that has the root in it. */
  readonly folder: string;
  readonly root: string;
  readonly clock: VirtualClock;
  /** What the handler threw. */
  readonly errors: unknown[];
  connect(): Promise<Conn>;
  /** Sends one request and hears all of the response. */
  ask(target: string, headers?: Record<string, string>, method?: string): Promise<Answer>;
  /** Writes a file below the root. */
  write(name: string, content: string | Uint8Array, modified?: Date): void;
}

/** A server on a root with these files, in a folder that is made in `parent`. */
export async function siteOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: FileOptions = {},
  parent: string = tmpdir(),
): Promise<Site> {
  const folder = mkdtempSync(join(parent, "plainsocket-web-"));
  const root = join(folder, "root");
  mkdirSync(root);
  const write = (name: string, content: string | Uint8Array, modified = MODIFIED) => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, modified, modified);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);

  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const stop = new AbortController();
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  const served = serveLight(listener, fileHandler(root, { clock, ...options }), {
    signal: stop.signal,
    onError: (error) => errors.push(error),
  }).finished;
  const connect = () => transport.connect({ host: "localhost", port: 80 });
  return {
    folder,
    root,
    clock,
    errors,
    connect,
    write,
    async ask(target, headers = {}, method = "GET") {
      using conn = await connect();
      await conn.write(bytes(requestOf(target, headers, method)));
      return answerOf(Buffer.from(await readAll(conn)));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await served;
      rmSync(folder, { recursive: true });
    },
  };
}

/** Does something while the time of day, in milliseconds, stands still at `time`. */
export async function atTime<T>(time: number, work: () => Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => time;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}

/** The bytes of a request, after which the connection is closed. */
export function requestOf(
  target: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields.join("")}\r\n`;
}

function answerOf(message: Buffer): Answer {
  const end = message.indexOf("\r\n\r\n");
  assert.notEqual(end, -1, `No head in ${JSON.stringify(message.toString("latin1"))}`);
  const [statusLine, ...lines] = message.toString("latin1", 0, end).split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = /^([^:]+): (.*)$/.exec(line)!;
    if (name !== "Date" && name !== "Connection") headers[name.toLowerCase()] = value;
  }
  const body = message.subarray(end + 4);
  return { status: Number(statusLine.split(" ")[1]), headers, body, text: body.toString() };
}

/** How many file descriptors of this process are open on a path; 0 where that is not known. */
export function descriptorsOn(path: string): number {
  return openPaths().filter((open) => open === path).length;
}

/** How many are open on what is in a directory. */
export function descriptorsBelow(root: string): number {
  return openPaths().filter((open) => open.startsWith(`${root}/`)).length;
}

function openPaths(): string[] {
  try {
    return readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return []; // the one of readdirSync() itself
      }
    });
  } catch {
    return [];
  }
}
