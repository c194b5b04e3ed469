// A relay to several targets that crash, are cut off and come back, on 200 networks.

import assert from "node:assert/strict";
import { dial } from "../../lib/dial.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { Balancer, type TargetStatus } from "../../lib/protocols/balance.ts";
import { relay } from "../../lib/protocols/relay.ts";
import { serve } from "../../lib/serve/serve.ts";
import type { World } from "../../lib/simulate/simulate.ts";
import { holds, range } from "./simulated_worlds.ts";

const CHECK_MS = 5000;

/** Serves the name of a host at it, to each client, and then echoes. */
async function serveName(world: World, name: string): Promise<() => Promise<unknown>> {
  const listener = await world.host(name).listen({ host: "", port: 7 });
  const server = serve(listener, async (conn) => {
    await conn.write(new TextEncoder().encode(name));
    await conn.read(new Uint8Array(1));
  }, { clock: world.clock, onError: () => {} });
  return () => server.stop({ drainTimeout: 0 });
}

/** Connects through the relay; resolves to who has answered, undefined if nobody has. */
async function ask(world: World): Promise<{ conn: Conn; name: string } | undefined> {
  const conn = await world.host("client").connect({ host: "relay", port: 80 });
  const buffer = new Uint8Array(8);
  const n = await conn.read(buffer).catch(() => null);
  if (n !== null) return { conn, name: new TextDecoder().decode(buffer.subarray(0, n)) };
  conn.close();
  return undefined;
}

function inEach(targets: readonly TargetStatus[]): number[] {
  return targets.map(({ connections }) => connections);
}

holds("a relay loses no client while one of its targets can be reached", async (world) => {
  const { clock, random } = world;
  const names = range(2 + random.integer(3)).map((i) => `t${i}`);
  const stops = new Map<string, () => Promise<unknown>>();
  for (const name of names) stops.set(name, await serveName(world, name));
  const own = world.host("relay");
  const targets = names.map((name) => ({
    name,
    dial: (signal: AbortSignal) =>
      dial(own, { host: name, port: 7, timeout: 30_000, signal, clock }),
  }));
  using balancer = new Balancer(targets, { checkInterval: CHECK_MS, clock });
  const front = serve(await own.listen({ host: "", port: 80 }), relay(balancer, { clock }), {
    clock,
    onError: () => {},
  });

  // All but one of them are away, each in its own way.
  const [last, ...away] = [...names].sort(() => random.integer(3) - 1);
  for (const name of away) {
    if (random.integer(2) === 0) world.partition("relay", name);
    else world.crash(name);
    if (random.integer(2) === 0) await world.sleep(random.integer(2 * CHECK_MS));
  }
  const asked = await Promise.all(
    range(3).map(async (i) => {
      await world.sleep(i * random.integer(1000));
      return await ask(world);
    }),
  );
  assert.deepEqual(asked.map((answer) => answer?.name), [last, last, last]);

  // They come back, and the checks find them. With them, clients spread.
  world.heal();
  for (const name of away) {
    world.restart(name);
    await stops.get(name)!();
    stops.set(name, await serveName(world, name));
  }
  for (const answer of asked) answer!.conn.close();
  const settled = () =>
    balancer.targets.every(({ state, connections }) => state === "up" && connections === 0);
  for (let checks = 0; checks < 20 && !settled(); checks++) await world.sleep(CHECK_MS);
  assert.ok(settled(), JSON.stringify(balancer.targets));
  const spread = await Promise.all(range(3 * names.length).map(() => ask(world)));
  const counts = inEach(balancer.targets);
  // A lossy network can have one that is up not connect within its time.
  const all = balancer.targets.every(({ state }) => state === "up");
  if (all) assert.deepEqual(counts, names.map(() => 3));

  for (const answer of spread) answer?.conn.close();
  await front.stop();
  for (const stop of stops.values()) await stop();
  assert.deepEqual(inEach(balancer.targets), names.map(() => 0));
}, 200);
