// What the tests of many seeds share: networks that go by the seed, and bytes that are cut by chance.

import { Buffer } from "node:buffer";
import { Random } from "../../lib/base/random.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { simulate, type SimulateOptions, type World } from "../../lib/simulate/simulate.ts";
import { share } from "../support/cases.ts";
import { test } from "../support/runner.deno.ts";

/** The seeds that a contract is run with are below this number, unless it asks for fewer. */
const SEEDS = 1000;

/** All seeds are run, or every tenth: one seed gives the same log on all runtimes. */
const STEP = SEEDS / share(SEEDS);

/** The seeds of one test: it has a deadline, which a machine that is busy with others must not miss. */
const BLOCK = 250;

/** Registers tests that run `run` with many seeds. A failure names the seed that runs it again. */
export function holds(
  contract: string,
  run: (world: World) => Promise<void>,
  seeds: number = SEEDS,
): void {
  for (let first = 0; first < seeds; first += BLOCK) {
    const end = Math.min(first + BLOCK, seeds);
    test(`simulated: ${contract}: seeds ${first} to ${end - 1}`, async () => {
      for (let seed = first; seed < end; seed += STEP) await simulate(seed, run, networkOf(seed));
    });
  }
}

/** Networks of all kinds: at once or far away, steady or not, whole or lossy. */
export function networkOf(seed: number): SimulateOptions {
  const random = new Random(seed, 1);
  const one = (...values: number[]) => values[random.integer(values.length)];
  return { latency: one(0, 1, 30, 200), jitter: one(0, 0, 20, 300), loss: one(0, 0, 0.02, 0.1) };
}

/** Now and then, cuts hosts off from each other for some seconds. */
export function disturb(world: World, a: string, b: string): void {
  const { random, clock } = world;
  if (random.integer(2) === 0) return;
  clock.setTimer(random.integer(400), () => {
    world.partition(a, b);
    clock.setTimer(1 + random.integer(3000), () => world.heal());
  });
}

/** Bytes of which each says where it is, so that none can stand for another. */
export function randomBytes({ random }: World, most: number): Buffer {
  const [length, first] = [random.integer(most + 1), random.integer(256)];
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = first + i * 31 + (i >> 8);
  return bytes;
}

/** Writes in pieces, with pauses now and then. */
export async function send(world: World, conn: Conn, bytes: Uint8Array): Promise<void> {
  const { random } = world;
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.integer(random.integer(4) === 0 ? 5 : 900);
    await conn.write(bytes.subarray(at, at + size));
    at += size;
    if (random.integer(3) === 0) await world.sleep(random.integer(50));
  }
}

/** Reads to the end, in pieces. */
export async function receive({ random }: World, conn: Conn): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(1 + random.integer(2000));
    const n = await conn.read(buffer);
    if (n === null) return Buffer.concat(pieces);
    pieces.push(buffer.subarray(0, n));
  }
}

/** Numbers from 0. */
export function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
