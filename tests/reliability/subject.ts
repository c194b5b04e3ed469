// What all of reliability's scenarios have in common: the program under test, clients that read and
// write byte by byte as they are told, and contents that show where each byte belongs.

import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { Program, type Running } from "../support/peers.ts";
import { listening, type ServerScript, startServer } from "../support/scripts.ts";

/** What a scenario runs against. */
export interface Subject {
  /** The command that runs server.ts. */
  readonly command: readonly string[];
  /** What is random in a scenario follows from it. */
  readonly seed: number;
  /** Whether servers that are only talked to run in this process. */
  readonly inProcess?: boolean;
}

/** A scenario: it rejects if what it states does not hold. It prints nothing, and leaves nothing. */
export interface Scenario {
  /** A sentence that is true when it passes. */
  readonly name: string;
  readonly run: (subject: Subject) => Promise<void>;
}

/** Starts server.ts as a process on a free port, within `wrap` if that is given. */
export function startSubject(
  { command }: Subject,
  args: readonly string[],
  wrap: (command: readonly string[]) => string[] = (command) => [...command],
): Promise<ServerScript<Program>> {
  const [name, ...rest] = args;
  return listening(new Program(wrap([...command, name, "--port", "0", ...rest])));
}

/** Starts server.ts on a free port, where a scenario only talks to it. */
export function startServing(
  subject: Subject,
  args: readonly string[],
): Promise<ServerScript<Running>> {
  return subject.inProcess ? startServer(args) : startSubject(subject, args);
}

/** A text of `size` bytes in which each line says whose it is and where it stands. */
export function contentOf(name: string, version: number, size: number): Buffer {
  const line = `${name} version ${version} at byte ${"0".repeat(9)}\n`;
  const content = Buffer.alloc(size, line);
  // In place: to make a string for each line takes ten times as long.
  for (let at = 0; at < size; at += line.length) {
    let i = at + line.length - 2;
    for (let left = at; left > 0; left = Math.floor(left / 10)) content[i--] += left % 10;
  }
  return content;
}

/** Connects to a server on this machine. */
export function connect({ port }: { readonly port: number }): Promise<Conn> {
  return systemTransport.connect({ host: "127.0.0.1", port });
}

/** Sends the head of a request. */
export async function ask(conn: Conn, line: string, ...fields: readonly string[]): Promise<void> {
  await conn.write(
    Buffer.from([`${line} HTTP/1.1`, "Host: localhost", ...fields, "", ""].join("\r\n")),
  );
}

/** A response as it came. */
export interface Heard {
  readonly status: number;
  readonly body: Buffer;
  /** Whether its Content-Length, or its last chunk, says that this is all. */
  readonly whole: boolean;
}

/** Reads a response with a Content-Length to its end, or to where the connection breaks. */
export async function hear(
  conn: Conn,
  onHead: () => Promise<void> = async () => {},
): Promise<Heard> {
  const p = new Uint8Array(64 * 1024);
  const pieces: Buffer[] = [];
  let [length, end] = [0, Infinity];
  let head = "";
  while (length < end) {
    const n = await conn.read(p).catch(() => null);
    if (n === null) break;
    pieces.push(Buffer.from(p.subarray(0, n)));
    length += n;
    if (end < Infinity) continue;
    const all = Buffer.concat(pieces);
    const at = all.indexOf("\r\n\r\n");
    if (at < 0) continue;
    head = all.toString("latin1", 0, at + 4);
    end = head.length + Number(/^Content-Length: (\d+)/im.exec(head)?.[1] ?? 0);
    await onHead();
  }
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0);
  return { status, body: Buffer.concat(pieces).subarray(head.length), whole: length >= end };
}

/** Asks for a path on a connection of its own. */
export async function fetchFrom(
  server: { readonly port: number },
  line: string,
  ...fields: readonly string[]
): Promise<Heard> {
  using conn = await connect(server);
  await ask(conn, line, "Connection: close", ...fields);
  return await hear(conn);
}

/** Waits until the peer has ended the connection, in whatever way. */
export async function ended(conn: Conn): Promise<void> {
  const p = new Uint8Array(1024);
  while (await conn.read(p).catch(() => null) !== null);
}

/** Asserts that it still serves. */
export async function stillServes(server: { readonly port: number }): Promise<void> {
  const { status, whole } = await fetchFrom(server, "GET /");
  assert.deepEqual([status, whole], [200, true], "It serves no more");
}
