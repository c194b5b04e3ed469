// Clients that read nothing: a server holds little of what they do not take, and serves the others.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Conn } from "../../lib/net/transport.ts";
import { inTime } from "../support/peers.ts";
import { mostResidentOf } from "./probe.ts";
import type { Served, Service } from "./soak_talks.ts";
import { connect, ended, type Subject } from "./subject.ts";

const CLIENTS = 10;

/** More than the kernel keeps between a client and a server. */
const MUCH: Buffer = Buffer.alloc(32 * 1024 * 1024, `${"x".repeat(999)}\n`);

/** The server goes on for so many turns in which nothing moves: nobody takes anything any more. */
const STILL_TURNS = 100;

/** Each client sends to an echo server, or a relay to one, until no more is taken. */
async function sendMuch(served: Served, conns: readonly Conn[]): Promise<void> {
  for (const conn of conns) conn.write(MUCH).catch(() => {});
  const talk = await served.open(0);
  try {
    let [before, still] = [-1, 0];
    for (let turn = 0; still < STILL_TURNS; turn++) {
      await talk.exchange(turn);
      const sent = conns.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
      still = sent === before ? still + 1 : 0;
      before = sent;
    }
    assert.ok(before < CLIENTS * MUCH.length, "The server has taken all");
  } finally {
    talk.close();
  }
}

/** One member of a chat says so much that the others, who do not read, are dropped. */
async function sayMuch(served: Served, conns: readonly Conn[]): Promise<void> {
  using speaker = await connect(served);
  await speaker.write(MUCH);
  await inTime(Promise.all(conns.map(ended)), () => "A member who does not read was not dropped");
  // The server has then read all of it.
  await speaker.closeWrite();
  await inTime(ended(speaker), () => "The speaker has not left");
  const talks = [await served.open(0), await served.open(1)];
  try {
    await talks[0].exchange(0);
  } finally {
    for (const talk of talks) talk.close();
  }
}

/**
 * Connects clients that read nothing while much is sent. Another client is served all the while, or with
 * a chat behind it. Returns the most bytes of memory that the server has had resident.
 */
export async function neverTake(subject: Subject, service: Service): Promise<number> {
  await using served = await service.start(subject);
  const conns: Conn[] = [];
  try {
    for (let i = 0; i < CLIENTS; i++) conns.push(await connect(served));
    await (service.name === "chat" ? sayMuch : sendMuch)(served, conns);
    return mostResidentOf(served.program.pid);
  } finally {
    for (const conn of conns) conn.close();
  }
}
