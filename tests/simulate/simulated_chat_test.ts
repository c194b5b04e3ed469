// A chat on three servers that a bus joins, with servers and a bus that are cut off and crash: 1000
// seeds. What is checked is the table in docs/chat.md.

import assert from "node:assert/strict";
import { type ChatRoom, chatRoom } from "../../lib/protocols/chat/mod.ts";
import type { World } from "../../lib/simulate/simulate.ts";
import { Broker, SimulatedBus } from "./simulated_bus.ts";
import { SimulatedMember } from "./simulated_members.ts";
import { holds, range } from "./simulated_worlds.ts";

const SERVERS = ["one", "two", "three"];
const NAMES = ["Ada", "ada", "Bob", "Eve"];
const MEMBERS = 4;
/** How long members talk, and things break. */
const ACTIVE_MS = 8000;
/** By then all servers have found each other again, and those that are gone count as gone. */
const QUIET_MS = 42_000;

/** One server of the chat, which may crash and start again. */
class Server {
  readonly host: string;
  readonly #world: World;
  readonly #history: number;
  #bus: SimulatedBus | undefined;
  #stop = new AbortController();
  room: ChatRoom | undefined;

  constructor(host: string, world: World, history: number) {
    this.host = host;
    this.#world = world;
    this.#history = history;
  }

  start(): void {
    const { clock } = this.#world;
    this.#stop = new AbortController();
    this.#bus = new SimulatedBus(this.#world, this.host, this.#history);
    this.room = chatRoom({ bus: this.#bus, clock, signal: this.#stop.signal, maxQueue: 4096 });
  }

  /** Nobody hears of it: neither the bus nor its members. */
  crash(): void {
    this.#world.crash(this.host);
    this.stop();
  }

  stop(): void {
    this.room = undefined;
    this.#stop.abort();
    this.#bus?.close();
  }
}

/** All of a chat, and what happens to it. */
class Chat {
  readonly history: number;
  readonly broker: Broker;
  readonly servers: readonly Server[];
  readonly members: readonly SimulatedMember[];
  readonly #world: World;
  readonly #where = new Map<SimulatedMember, Server>();
  constructor(world: World) {
    this.#world = world;
    this.history = this.#one(0, 0, 3, 1000, 1000);
    this.broker = new Broker(world, this.history);
    this.servers = SERVERS.map((host) => new Server(host, world, this.history));
    this.members = range(MEMBERS).map((id) => new SimulatedMember(id, world));
  }

  async run(): Promise<void> {
    await this.broker.start();
    for (const server of this.servers) server.start();
    const faults = this.#world.random.integer(4);
    await Promise.all([
      ...this.members.map((member) => this.#live(member)),
      ...range(faults).map(() => this.#break()),
    ]);
    this.#world.heal();
    for (const member of this.members) {
      if (!member.isThere) this.#enter(member);
    }
    await this.#world.sleep(QUIET_MS);
    this.#checkPeople();
    // All of it has healed: each line arrives everywhere.
    for (const member of this.members) member.say();
    await this.#world.sleep(5000);
    this.#checkHealed();
    for (const member of this.members) this.#checkLines(member);
    this.#checkFates();
  }

  async stop(): Promise<void> {
    for (const member of this.members) member.cut();
    for (const server of this.servers) server.stop();
    await this.broker.stop();
    await this.#world.sleep(5000);
  }

  #one<T>(...values: readonly T[]): T {
    return values[this.#world.random.integer(values.length)];
  }

  /** Comes, talks, takes names, is lost and comes back. */
  async #live(member: SimulatedMember): Promise<void> {
    const { random, clock } = this.#world;
    while (clock.now() < ACTIVE_MS) {
      if (!member.isThere) this.#enter(member);
      const what = random.integer(12);
      if (!member.isThere) await this.#world.sleep(100);
      else if (what === 0) member.cut();
      else if (what <= 2) member.rename(this.#one(...NAMES));
      else for (const _ of range(1 + random.integer(3))) member.say();
      await this.#world.sleep(random.integer(2500));
    }
  }

  #enter(member: SimulatedMember): void {
    const server = this.#one(...this.servers.filter(({ room }) => room !== undefined));
    if (server === undefined) return;
    this.#where.set(member, server);
    member.enter(server.room!);
  }

  async #break(): Promise<void> {
    const { random } = this.#world;
    await this.#world.sleep(random.integer(ACTIVE_MS - 2000));
    const lasts = 500 + random.integer(9000);
    const server = this.#one(...this.servers);
    switch (random.integer(4)) {
      case 0:
      case 1:
        this.#world.partition(server.host, "bus");
        await this.#world.sleep(lasts);
        return this.#world.heal();
      case 2:
        if (server.room === undefined) return;
        for (const [member, where] of this.#where) if (where === server) member.cut();
        server.crash();
        await this.#world.sleep(lasts);
        this.#world.restart(server.host);
        return server.start();
      case 3:
        return await this.#breakBus(lasts);
    }
  }

  #busIsDown = false;

  async #breakBus(lasts: number): Promise<void> {
    if (this.#busIsDown) return;
    this.#busIsDown = true;
    this.broker.crash(this.#one(true, false));
    await this.#world.sleep(lasts);
    this.#world.restart("bus");
    await this.broker.start();
    this.#busIsDown = false;
  }

  #checkPeople(): void {
    const names = this.members.map(({ name }) => name).sort();
    const keys = names.map((name) => name.toLowerCase());
    assert.equal(new Set(keys).size, keys.length, `names are not unique: ${names}`);
    for (const { id, people, away } of this.members) {
      assert.deepEqual([...people].sort(), names, `${id} knows others`);
      assert.equal(away, false, `${id} takes the bus for away`);
    }
  }

  #checkHealed(): void {
    const last = this.members.map(({ said }) => said.at(-1)!.text);
    for (const { id, heard } of this.members) {
      const texts = new Set(heard.map(({ text }) => text));
      assert.deepEqual(last.filter((text) => !texts.has(text)), [], `${id} has not heard`);
    }
  }

  /** Nothing twice, and the lines of each connection of a sender in order. */
  #checkLines({ id, heard, gaps, wrong }: SimulatedMember): void {
    assert.deepEqual(wrong, []);
    const last = new Map<string, number>();
    const places = new Set<string>();
    for (const { text, session, place } of heard) {
      const [sender, number] = text.split(":");
      if (place === undefined) {
        const key = `${session} ${sender} ${
          this.members[Number(sender)].said[Number(number)].session
        }`;
        const before = last.get(key) ?? -1;
        assert.ok(Number(number) > before, `${id} heard ${text} behind ${sender}:${before}`);
        last.set(key, Number(number));
      } else {
        assert.ok(!places.has(place), `${id} heard ${text} twice`);
        places.add(place);
        assert.equal(text, this.broker.texts.get(place), `${id} heard another line at ${place}`);
      }
    }
    if (this.history === 0) return;
    const { epoch, offset } = this.broker.position;
    const member = this.members[id];
    assert.deepEqual(member.position, { epoch, offset }, `${id} is not at the end`);
    // Without a gap, and within one epoch, none is missing: hearLine() has checked each step.
    if (gaps === 0) assert.ok([...places].every((place) => place.startsWith(`${epoch} `)));
  }

  /** Each line was kept, or heard by the sender's server alone, or its sender knows that its fate is unknown. */
  #checkFates(): void {
    if (this.history === 0) return;
    const kept = [...this.broker.texts.values()];
    assert.equal(new Set(kept).size, kept.length, "a line was kept twice");
    const isKept = new Set(kept);
    for (const { id, said, heard, unknown, session: last } of this.members) {
      const local = new Set(
        heard.filter(({ place }) => place === undefined).map(({ text }) => text),
      );
      for (const { text, session } of said) {
        assert.ok(!(isKept.has(text) && local.has(text)), `${text} was kept and heard here alone`);
        const isKnown = isKept.has(text) || local.has(text) || unknown.has(text);
        assert.ok(isKnown || session < last, `${id} does not know the fate of ${text}`);
      }
    }
    this.#checkOrder();
  }

  /** The kept lines of each sender are in order, but for those whose fate was unknown. */
  #checkOrder(): void {
    const last = new Map<string, number>();
    for (const text of this.broker.texts.values()) {
      const [sender, number] = text.split(":");
      const { unknown, said } = this.members[Number(sender)];
      const lost = said[Number(number)].session < this.members[Number(sender)].session;
      if (unknown.has(text) || lost) continue;
      assert.ok(Number(number) > (last.get(sender) ?? -1), `${text} was kept out of order`);
      last.set(sender, Number(number));
    }
  }
}

holds("a chat on three servers loses, doubles and reorders nothing, and heals", async (world) => {
  const chat = new Chat(world);
  try {
    await chat.run();
  } finally {
    await chat.stop();
  }
});
