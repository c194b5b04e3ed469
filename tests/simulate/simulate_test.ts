import assert from "node:assert/strict";
import { test } from "node:test";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { dial } from "../../lib/dial.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { serve } from "../../lib/serve/serve.ts";
import { simulate, SimulationError, type World } from "../../lib/simulate/simulate.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function readAll(conn: Conn): Promise<string> {
  const [buffer, pieces] = [new Uint8Array(1024), [] as string[]];
  for (let n; (n = await conn.read(buffer)) !== null;) {
    pieces.push(new TextDecoder().decode(buffer.subarray(0, n)));
  }
  return pieces.join("");
}

/** Two hosts with a connection between them. */
async function connected(world: World): Promise<{ client: Conn; server: Conn }> {
  const [alice, bob] = [world.host("alice"), world.host("bob")];
  const listener = await bob.listen({ host: "", port: 7 });
  const [client, server] = await Promise.all([
    alice.connect({ host: "bob", port: 7 }),
    listener.accept(),
  ]);
  listener.close();
  return { client, server };
}

/** A signal that is aborted after a time of the world. */
function aborting(world: World, ms: number): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  world.clock.setTimer(ms, abort);
  return { signal: controller.signal, abort };
}

/** A world in which much happens by chance. */
async function busyWorld(world: World): Promise<void> {
  const server = world.host("server");
  const listener = await server.listen({ host: "", port: 7 });
  const stop = new AbortController();
  const served = serve(listener, echo(), { signal: stop.signal, clock: world.clock }).finished;
  await Promise.all(Array.from({ length: 5 }, async (_, i) => {
    const host = world.host(`client${i}`);
    await world.sleep(Math.random() * 100);
    const conn = await dial(host, { host: "server", port: 7, clock: world.clock });
    for (let n = 0; n < 3; n++) {
      await conn.write(bytesOf(`message ${n} of ${i}`));
      await conn.read(new Uint8Array(100));
      await world.sleep(world.random.integer(50));
    }
    conn.close();
  }));
  stop.abort();
  await served;
}

test("simulate: the bytes of two hosts arrive, after the latency of the network", async () => {
  const { value, time } = await simulate(1, async (world) => {
    const { client, server } = await connected(world);
    assert.equal(world.clock.now(), 20);
    await client.write(bytesOf("hello"));
    await client.closeWrite();
    const text = await readAll(server);
    server.close();
    await readAll(client);
    client.close();
    return text;
  }, { latency: 10 });
  assert.equal(value, "hello");
  assert.equal(time, 40);
});

test("simulate: the same seed gives the same log, byte by byte, and another seed another one", async () => {
  const options = { latency: 5, jitter: 20, loss: 0.1 };
  const [first, again, other] = [
    await simulate(7, busyWorld, options),
    await simulate(7, busyWorld, options),
    await simulate(8, busyWorld, options),
  ];
  assert.equal(again.log, first.log);
  assert.notEqual(other.log, first.log);
  assert.ok(first.events > 50, String(first.events));
});

test("simulate: the log is the same on every runtime", async () => {
  const { log } = await simulate(7, busyWorld, { latency: 5, jitter: 20, loss: 0.1 });
  assert.equal(createHash("sha256").update(log).digest("hex"), LOG_OF_SEED_7);
});

test("simulate: the log has what happened up to the end, whenever it is asked for", async () => {
  let goOn!: () => void;
  const result = await simulate(1, async (world) => {
    const { client, server } = await connected(world);
    const bytes = bytesOf("hello");
    await client.write(bytes);
    bytes.fill(0);
    await server.read(new Uint8Array(5));
    goOn = () => {
      client.close();
      world.note("too late");
    };
    world.note("the end");
  });
  goOn();
  assert.match(result.log, /"type":"send".*"text":"hello"}\n[^]*"note":"the end"}\n$/);
  assert.equal(result.log.split("\n").length, result.events + 1);
});

const LOG_OF_SEED_7 = "0ddac4dfca79b77ce92fd84bfd710d346ad9e26c220ba7a95d6d6dac8790793e";

test("simulate: when the function is done no more time passes, whatever timers are left", async () => {
  const { time } = await simulate(1, async (world) => {
    world.clock.setTimer(500, () => world.note("not heard"));
    await world.sleep(20);
  });
  assert.equal(time, 20);
});

test("simulate: hours pass at once", async () => {
  const { time } = await simulate(1, (world) => world.sleep(3_000_000));
  assert.equal(time, 3_000_000);
});

test("simulate: a partition holds what is sent, and heal() lets it arrive", async () => {
  await simulate(1, async (world) => {
    const { client, server } = await connected(world);
    world.partition("alice", "bob");
    await client.write(bytesOf("hello"));
    let arrived = Infinity;
    const reading = server.read(new Uint8Array(9)).then(() => arrived = world.clock.now());
    await world.sleep(60_000);
    assert.equal(arrived, Infinity);
    const healed = world.clock.now();
    world.heal();
    await reading;
    assert.ok(arrived >= healed);
    client.close();
    server.close();
  });
});

test("simulate: who connects through a partition is told ETIMEDOUT after 127 seconds", async () => {
  await simulate(1, async (world) => {
    const [alice, bob] = [world.host("alice"), world.host("bob")];
    using _listener = await bob.listen({ host: "", port: 7 });
    world.partition("alice", "bob");
    const connecting = alice.connect({ host: "bob", port: 7 });
    await assert.rejects(connecting, { code: "ETIMEDOUT" });
    assert.equal(world.clock.now(), 127_000);
  });
});

test("simulate: nobody listens there: refused after the way there and back", async () => {
  await simulate(1, async (world) => {
    world.host("bob");
    const connecting = world.host("alice").connect({ host: "bob", port: 9 });
    await assert.rejects(connecting, { code: "ECONNREFUSED" });
    assert.equal(world.clock.now(), 20);
  }, { latency: 10 });
});

test("simulate: a crash tells nobody; after a restart who goes on sending is reset", async () => {
  await simulate(1, async (world) => {
    const { client, server } = await connected(world);
    const reading = assert.rejects(server.read(new Uint8Array(1)), { code: "ECONNRESET" });
    world.crash("bob");
    await reading;
    let heard = false;
    const waiting = assert.rejects(client.read(new Uint8Array(1)).finally(() => heard = true), {
      code: "ECONNRESET",
    });
    await client.write(bytesOf("hello"));
    await world.sleep(600_000);
    assert.equal(heard, false);
    world.restart("bob");
    await waiting;
    await assert.rejects(world.host("alice").connect({ host: "bob", port: 7 }), {
      code: "ECONNREFUSED",
    });
    client.close();
    server.close();
  });
});

test("simulate: a connection that is made after it was given up is reset at the other side", async () => {
  await simulate(1, async (world) => {
    const listener = await world.host("bob").listen({ host: "", port: 7 });
    const { signal, abort } = aborting(world, 15);
    const connecting = world.host("alice").connect({ host: "bob", port: 7, signal });
    const accepted = await listener.accept();
    abort();
    await assert.rejects(connecting, { code: "ECANCELED" });
    await assert.rejects(accepted.read(new Uint8Array(1)), { code: "ECONNRESET" });
    accepted.close();
    listener.close();
  }, { latency: 10 });
});

test("simulate: who gives up connecting through a partition is heard no more when that heals", async () => {
  const { log } = await simulate(1, async (world) => {
    const listener = await world.host("bob").listen({ host: "", port: 7 });
    world.partition("alice", "bob");
    const { signal } = aborting(world, 500);
    const connecting = world.host("alice").connect({ host: "bob", port: 7, signal });
    await assert.rejects(connecting, { code: "ECANCELED" });
    world.heal();
    await world.sleep(200_000);
    listener.close();
  });
  assert.doesNotMatch(log, /"type":"accept"/);
});

test("simulate: datagrams arrive late, or are lost", async () => {
  const received = (loss: number) =>
    simulate(3, async (world) => {
      const server = await world.host("bob").listenDatagram({ host: "", port: 53 });
      const client = await world.host("alice").listenDatagram({ host: "" });
      for (let n = 0; n < 20; n++) await client.send(Uint8Array.of(n), { host: "bob", port: 53 });
      const [buffer, got] = [new Uint8Array(1), [] as number[]];
      const end = new AbortController();
      world.clock.setTimer(1000, () => end.abort());
      end.signal.addEventListener("abort", () => server.close());
      await assert.rejects(async () => {
        for (;;) {
          const { from } = await server.receive(buffer);
          assert.equal(from.host, "10.0.0.2");
          got.push(buffer[0]);
        }
      }, { code: "ECLOSED" });
      client.close();
      return got;
    }, { loss }).then(({ value }) => value);
  assert.deepEqual(await received(0), Array.from({ length: 20 }, (_, n) => n));
  const some = await received(0.5);
  assert.ok(some.length > 3 && some.length < 17, String(some));
  assert.deepEqual(await received(1), []);
});

test("simulate: an answer to a datagram finds its way back", async () => {
  await simulate(1, async (world) => {
    const server = await world.host("bob").listenDatagram({ host: "", port: 53 });
    const client = await world.host("alice").listenDatagram({ remote: { host: "bob", port: 53 } });
    await client.send(bytesOf("ask"));
    const { from } = await server.receive(new Uint8Array(9));
    await server.send(bytesOf("answer"), from);
    assert.equal((await client.receive(new Uint8Array(9))).size, 6);
    server.close();
    client.close();
  });
});

test("simulate: real I/O is an error that names the call, even if it is caught", async () => {
  const calls: [string, () => unknown][] = [
    ["setTimeout", () => setTimeout(() => {}, 1)],
    ["setInterval", () => setInterval(() => {}, 1)],
    ["fetch", () => fetch("http://localhost/")],
  ];
  for (const [name, call] of calls) {
    await assert.rejects(
      simulate(7, async () => {
        try {
          await call();
        } catch {
          // It is told anyway.
        }
      }),
      (error: SimulationError) => {
        assert.match(error.message, new RegExp(`Cannot call ${name} in a simulation`));
        assert.match(error.message, /Run it again with simulate\(7, …\)/);
        return error instanceof SimulationError;
      },
    );
  }
});

test("simulate: the sockets of node:net are refused, too", async () => {
  const failing = simulate(1, () => Promise.resolve(connect(1)));
  await assert.rejects(failing, /Cannot call net\.connect in a simulation/);
});

test("simulate: sockets of the runtime are refused inside, and work outside meanwhile", async () => {
  const inside = simulate(1, async (world) => {
    await world.sleep(1);
    await systemTransport.listen();
  });
  const refused = assert.rejects(inside, /Cannot call systemTransport\.listen in a simulation/);
  using listener = await systemTransport.listen();
  assert.ok(listener.addr.port > 0);
  await refused;
});

test("simulate: time and chance are the world's", async () => {
  const seen = async (seed: number) =>
    (await simulate(seed, async (world) => {
      await world.sleep(1500);
      return [Date.now(), new Date().toISOString(), performance.now(), Math.random()];
    })).value;
  const first = await seen(1);
  assert.deepEqual(first.slice(0, 3), [946684801500, "2000-01-01T00:00:01.500Z", 1500]);
  assert.deepEqual(await seen(1), first);
  assert.notDeepEqual(await seen(2), first);
  assert.ok(Date.now() > 946684801500 + 1e11);
});

test("simulate: what can never happen is an error, and so is what takes too long", async () => {
  await assert.rejects(simulate(1, () => new Promise<void>(() => {})), /no event is left/);
  const forever = async (world: World) => {
    for (;;) await world.sleep(1000);
  };
  await assert.rejects(
    simulate(1, forever, { maxTime: 5000 }),
    /would go on after 5000 ms, its maxTime/,
  );
});

test("simulate: a failure has the seed, the cause and the log", async () => {
  const failing = simulate(99, async (world) => {
    await world.sleep(10);
    world.note("about to fail");
    throw new Error("as planned");
  });
  await assert.rejects(failing, (error: SimulationError) => {
    assert.match(
      error.message,
      /failed after 10 ms: as planned\nRun it again with simulate\(99, …\)/,
    );
    assert.equal((error.cause as Error).message, "as planned");
    assert.match(error.log, /"note":"about to fail"/);
    return true;
  });
});

test("simulate: what waits 0 ms again and again is an error, too: no time passes", async () => {
  const spinning = async (world: World) => {
    await world.sleep(10);
    for (;;) await world.sleep(0);
  };
  await assert.rejects(
    simulate(1, spinning, { maxTime: 5000 }),
    /failed after 10 ms: more than 100000 timers have rung, and no time passes/,
  );
});

test("simulate: a fault of a host that is never made is an error: it has hit nobody", async () => {
  const mistakes: [(world: World) => void, RegExp][] = [
    [
      (world) => world.partition("server", "clinet"),
      /partition names "clinet", and no host.*; did you mean "client"\?/,
    ],
    [(world) => world.crash("db"), /world\.crash names "db", and no host was made of that name\n/],
    [(world) => world.restart("srever"), /world\.restart names .*; did you mean "server"\?/],
    [
      (world) => void world.host(""),
      /world\.host takes the name of a host, such as "server", not ""/,
    ],
    [(world) => void world.host(1 as never), /world\.host takes the name of a host.*, not 1/],
    [(world) => void world.sleep(NaN), /world\.sleep takes milliseconds from 0, not NaN/],
    [(world) => void world.sleep(-1), /world\.sleep takes milliseconds from 0, not -1/],
  ];
  for (const [mistake, message] of mistakes) {
    const run = simulate(1, (world) => {
      world.host("server");
      world.host("client");
      mistake(world);
      return Promise.resolve();
    });
    await assert.rejects(run, message);
  }
});

test("simulate: a timer for NaN rings at once, as that of setTimeout", async () => {
  const { time } = await simulate(1, async ({ clock }) => {
    await new Promise<void>((resolve) => clock.setTimer(NaN, resolve));
  });
  assert.equal(time, 0);
});
