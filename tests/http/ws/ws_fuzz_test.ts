// Frames that nobody thought of, from fixed seeds. Whole, in single bytes or cut anywhere, read at once
// or late: the messages and the verdict are the same. All runtimes come to the same ones, whose digest
// is here; the other ways to receive them are run with every seed on Deno, and with a tenth elsewhere. After a change that means to change verdicts, see that it is what you meant, and put the new
// digest in.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { Random } from "../../../lib/base/random.ts";
import { WsError } from "../../../lib/http/ws/error.ts";
import type { WsRole } from "../../../lib/http/ws/frame.ts";
import { share } from "../../support/cases.ts";
import { test } from "../../support/runner.deno.ts";
import { CLOSING, closing, encoded, engine, type Frame, PING } from "./ws_peer.ts";

const DEFLATED: readonly Buffer[] = [
  Buffer.from("4bcecf2d284a2d2e4e4d51481e6e4c00", "hex"),
  Buffer.from("f248cdc9c90700", "hex"),
];

const GOOD: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from("Hello"),
  Buffer.from("κόσμε €"),
  Buffer.alloc(126, "x"),
  Buffer.alloc(360, "€"),
];

const ODD: readonly Buffer[] = [
  Buffer.from([0xe2, 0x82]),
  Buffer.from([0xac, 0x21]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.alloc(701),
  ...DEFLATED,
];

function one<T>(random: Random, values: readonly T[]): T {
  return values[random.integer(values.length)];
}

/** Mostly `usual`, and now and then one of the others. */
function mostly<T>(random: Random, usual: T, ...others: T[]): T {
  return random.integer(25) > 0 ? usual : one(random, others);
}

/** Bytes that are mostly good frames. */
function bytesOf(random: Random, masked: boolean): Buffer {
  const frames: Buffer[] = [];
  let inMessage = false;
  for (let n = 1 + random.integer(12); n > 0; n--) {
    const fin = random.integer(3) > 0;
    const payload = one(random, random.integer(8) > 0 ? GOOD : ODD);
    const compressed = !inMessage && random.integer(5) === 0;
    let frame: Frame = {
      opcode: mostly(random, inMessage ? 0 : 1 + random.integer(2), 0, 1, 3, 11),
      fin,
      rsv: mostly(random, compressed ? 4 : 0, 1, 2, 4),
      payload: compressed ? one(random, DEFLATED) : payload,
      lengthBytes: mostly<0 | 2 | 8 | undefined>(random, undefined, 2, 8),
      masked: mostly(random, masked, !masked),
    };
    if (frame.lengthBytes !== undefined && payload.length > 125) {
      frame = { ...frame, lengthBytes: 8 };
    }
    if (random.integer(5) === 0) {
      frame = { opcode: PING, payload: payload.subarray(0, mostly(random, 125, 126)) };
    } else inMessage = !fin;
    frames.push(encoded(frame, masked));
  }
  const end = mostly(random, closing(1000, "end"), closing(1005), Uint8Array.of(3));
  if (random.integer(2) === 0) frames.push(encoded({ opcode: CLOSING, payload: end }, masked));
  const all = Buffer.concat(frames);
  // A bit that was turned over, and bytes that never come.
  if (random.integer(6) === 0) all[random.integer(all.length)] ^= 1 << random.integer(8);
  return random.integer(6) === 0 ? all.subarray(0, random.integer(all.length)) : all;
}

/** The messages in bytes which come in these pieces, and how they end. */
async function verdictOf(
  pieces: readonly Uint8Array[],
  role: WsRole,
  late: boolean,
): Promise<string[]> {
  using end = await engine(role, { deflate: true, maxSize: 700, maxFragments: 5 });
  const { ws, peer: { conn } } = end;
  const sending = (async () => {
    for (const piece of pieces) await conn.write(piece);
    await conn.closeWrite();
  })().catch(() => {});
  if (late) await sending;
  const seen: string[] = [];
  try {
    for await (const message of ws) {
      seen.push(`${typeof message} ${Buffer.from(message as string)}`);
    }
    seen.push("null");
  } catch (error) {
    assert.ok(error instanceof WsError, `${error}`);
    seen.push(error.message);
  }
  await sending;
  conn.close();
  const { code, reason, clean, by } = await ws.closed;
  return [...seen, `${code} ${reason} ${clean} ${by}`];
}

function cut(bytes: Buffer, random: Random): Buffer[] {
  const places = Array.from({ length: 5 }, () => random.integer(bytes.length + 1)).sort((a, b) =>
    a - b
  );
  return [0, ...places].map((place, i) => bytes.subarray(place, places[i]));
}

const SEEDS = 300;
const STEP = SEEDS / share(SEEDS);

for (const role of ["client", "server"] as const) {
  test(`websocket: whatever a ${role} receives, and however, its messages and its verdict are the same`, async () => {
    const hash = createHash("sha256");
    const ends: Record<string, number> = {};
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new Random(seed, role === "client" ? 1 : 2);
      const bytes = bytesOf(random, role === "server");
      const verdict = await verdictOf([bytes], role, false);
      const ways = seed % STEP > 0 ? [] : [
        [cut(bytes, random), false],
        [[bytes], true],
        ...seed % 10 === 0 ? [[Array.from(bytes, (byte) => Buffer.of(byte)), false]] : [],
      ] as [Buffer[], boolean][];
      for (const [pieces, late] of ways) {
        assert.deepEqual(await verdictOf(pieces, role, late), verdict, `seed ${seed}`);
      }
      hash.update(JSON.stringify(verdict));
      const code = /^\d+/.exec(verdict.at(-1)!)![0];
      ends[code] = (ends[code] ?? 0) + 1;
    }
    const digest = hash.digest("hex").slice(0, 16);
    assert.equal(digest, DIGESTS[role], `The verdicts have changed: ${JSON.stringify(ends)}`);
  });
}

const DIGESTS = { client: "df761a47a42c823d", server: "bc90caed9090ee4c" };
