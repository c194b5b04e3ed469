// Rooms that share a bus, in one process: names, who is there, and lines that are kept.

import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import {
  type Bus,
  type BusMessage,
  type ChatMessage,
  type ChatOptions,
  type ChatPosition,
  type ChatRoom,
  chatRoom,
  memoryBus,
} from "../../lib/protocols/chat/mod.ts";
import { Presence } from "../../lib/protocols/chat/presence.ts";
import { until } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { Browser, enter } from "./chat_browser.ts";

/** Waits until a client has heard as many messages, and takes them. */
async function hear(browser: Browser, count: number): Promise<ChatMessage[]> {
  await until(() => browser.heard.length >= count, `${count} messages`);
  assert.equal(browser.heard.length, count, JSON.stringify(browser.heard));
  return browser.heard.splice(0);
}

/** The lines among what a client has heard. */
function linesOf({ heard }: Browser): Extract<ChatMessage, { type: "said" }>[] {
  return heard.filter((message) => message.type === "said");
}

function positionOf(welcome: ChatMessage | undefined): ChatPosition {
  assert.ok(welcome?.type === "welcome" && welcome.position !== undefined);
  return welcome.position;
}

function nameOf(welcome: ChatMessage | undefined): string {
  assert.equal(welcome?.type, "welcome");
  return (welcome as { name: string }).name;
}

/** Rooms on one bus, each as on a server of its own. They end with the test. */
class Rooms implements Disposable {
  readonly clock = new VirtualClock();
  readonly bus: Bus;
  readonly #stops: AbortController[] = [];

  constructor(bus: Bus = memoryBus()) {
    this.bus = bus;
  }

  open(options: ChatOptions = {}): ChatRoom & { stop(): void } {
    const stop = new AbortController();
    this.#stops.push(stop);
    const { clock, bus } = this;
    return {
      ...chatRoom({ bus, clock, signal: stop.signal, ...options }),
      stop: () => stop.abort(),
    };
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop.abort();
  }
}

test("chat bus: members of two servers hear each other, and learn who comes and goes", async () => {
  using rooms = new Rooms();
  const [a, b] = [rooms.open(), rooms.open()];
  const { browser: one, welcome } = await enter(a);
  const { browser: two, welcome: second } = await enter(b);
  const [first, other] = [nameOf(welcome), nameOf(second)];
  assert.deepEqual([first, other], ["guest1", "guest2"]);
  assert.deepEqual(second, { type: "welcome", name: other, others: [first] });
  assert.deepEqual(await hear(one, 1), [{ type: "joined", name: other }]);
  two.say("hello");
  assert.deepEqual(await hear(one, 1), [{ type: "said", name: other, text: "hello" }]);
  assert.deepEqual(await hear(two, 1), [{ type: "said", name: other, text: "hello" }]);
  two.say("/nick Ada");
  assert.deepEqual(await hear(one, 1), [{ type: "renamed", name: other, newName: "Ada" }]);
  assert.deepEqual(await hear(two, 1), [{ type: "you", name: "Ada" }]);
  one.say("/nick ada");
  assert.deepEqual(await hear(one, 1), [{ type: "notice", text: "There is a Ada already." }]);
  two.say(null);
  assert.deepEqual(await hear(one, 1), [{ type: "left", name: "Ada" }]);
  one.say("/nick ada");
  assert.deepEqual(await hear(one, 1), [{ type: "you", name: "ada" }]);
});

test("chat bus: a server that stops says so once, and one that falls silent is down after 30 s", async () => {
  using rooms = new Rooms();
  const [a, b] = [rooms.open(), rooms.open()];
  const { browser: one } = await enter(a);
  const { welcome } = await enter(b);
  await hear(one, 1);
  // A server that is only heard: it sends no `alive`.
  const silent: BusMessage = {
    type: "joined",
    server: "silent",
    version: 1,
    name: "Zoe",
    since: 1,
  };
  rooms.bus.publish(silent);
  assert.deepEqual(await hear(one, 1), [{ type: "joined", name: "Zoe" }]);
  await rooms.clock.advance(29_000);
  assert.deepEqual(one.heard, []);
  await rooms.clock.advance(6000);
  assert.deepEqual(await hear(one, 1), [{ type: "left", name: "Zoe" }]);
  b.stop();
  assert.deepEqual(await hear(one, 1), [{ type: "left", name: nameOf(welcome) }]);
});

test("chat bus: a server that stood still for a minute does not take the others for down", async () => {
  const clock = new VirtualClock();
  let paused = 0;
  // Its timers come late, as after SIGSTOP.
  const own = {
    now: () => clock.now() + paused,
    setTimer: (ms: number, fn: () => void) => clock.setTimer(ms, fn),
  };
  using rooms = new Rooms();
  const { browser } = await enter(rooms.open({ clock: own }));
  const joined = { type: "joined", server: "other", version: 1, name: "Zoe", since: 1 } as const;
  rooms.bus.publish(joined);
  assert.deepEqual(await hear(browser, 1), [{ type: "joined", name: "Zoe" }]);
  await clock.advance(4000);
  paused = 60_000;
  await clock.advance(4000);
  assert.deepEqual(browser.heard, []);
  // Then it listens for as long as ever.
  await clock.advance(20_000);
  assert.deepEqual(browser.heard, []);
  await clock.advance(12_000);
  assert.deepEqual(await hear(browser, 1), [{ type: "left", name: "Zoe" }]);
});

test("chat bus: of two who took a name at once, the one who took it first keeps it", async () => {
  using rooms = new Rooms();
  const { browser } = await enter(rooms.open());
  browser.say("/nick Ada");
  await hear(browser, 1);
  const claim = { type: "joined", server: "other", name: "Ada" } as const;
  // Later: the other server hears of it, and gives it up.
  rooms.bus.publish({ ...claim, version: 1, since: Date.now() + 60_000 });
  rooms.bus.publish({ type: "left", server: "other", version: 2, name: "Ada" });
  assert.deepEqual(browser.heard, []);
  rooms.bus.publish({ ...claim, version: 3, since: 1 });
  const [notice, you, joined] = await hear(browser, 3);
  assert.deepEqual(notice, { type: "notice", text: "On another server there was a Ada before." });
  assert.ok(you.type === "you" && /^guest2$/.test(you.name));
  assert.deepEqual(joined, { type: "joined", name: "Ada" });
});

test("chat bus: of two who took a name in the same moment, the server with the smaller id keeps it", async () => {
  using rooms = new Rooms();
  const { browser } = await enter(rooms.open());
  const claims: BusMessage[] = [];
  rooms.bus.subscribe({ onMessage: (message) => claims.push(message as BusMessage) });
  browser.say("/nick Ada");
  await hear(browser, 1);
  const [own] = claims;
  assert.ok(own.type === "renamed");
  const claim = { type: "joined", version: 1, name: "Ada", since: own.since } as const;
  rooms.bus.publish({ ...claim, server: `${own.server}0` });
  assert.deepEqual(browser.heard, []);
  rooms.bus.publish({ ...claim, server: "-" });
  assert.deepEqual((await hear(browser, 3)).map(({ type }) => type), ["notice", "you", "joined"]);
});

test("chat bus: who has missed a change asks for all members, and many changes are one message", async () => {
  using rooms = new Rooms();
  const asked: BusMessage[] = [];
  rooms.bus.subscribe({
    onMessage(message) {
      if ((message as BusMessage).type === "who") asked.push(message as BusMessage);
    },
  });
  const { browser, welcome } = await enter(rooms.open());
  asked.length = 0;
  rooms.bus.publish({ type: "joined", server: "other", version: 7, name: "Zoe", since: 1 });
  assert.deepEqual(asked.map((message) => message.type === "who" && message.of), ["other"]);
  const members = Array.from({ length: 600 }, (_, i) => [`m${i}`, 1] as const);
  const roster = { type: "roster", server: "other", version: 7, parts: 2 } as const;
  rooms.bus.publish({ ...roster, part: 0, members: members.slice(0, 500) });
  assert.deepEqual(browser.heard, []);
  rooms.bus.publish({ ...roster, part: 1, members: members.slice(500) });
  assert.deepEqual(await hear(browser, 1), [
    { type: "people", names: [nameOf(welcome), ...members.map(([name]) => name)] },
  ]);
  rooms.bus.publish({
    type: "renamed",
    server: "other",
    version: 8,
    name: "m5",
    newName: "Zoe",
    since: 2,
  });
  assert.deepEqual(await hear(browser, 1), [{ type: "renamed", name: "m5", newName: "Zoe" }]);
});

test("chat bus: a line that comes twice, or behind a later one of its server, is not heard", async () => {
  using rooms = new Rooms();
  const { browser } = await enter(rooms.open());
  for (const number of [1, 2, 2, 1, 4, 3, 5]) {
    const text = String(number);
    rooms.bus.publish({ type: "said", server: "other", member: 1, number, name: "Eve", text });
  }
  await until(() => linesOf(browser).length === 4, "the lines");
  assert.deepEqual(linesOf(browser).map(({ text }) => text), ["1", "2", "4", "5"]);
});

test("chat bus: what is not valid on the bus is ignored, and texts are cleaned", async () => {
  using rooms = new Rooms();
  const { browser } = await enter(rooms.open());
  const said = { type: "said", server: "other", member: 1, number: 1, name: "Eve", text: "hi" };
  const joined = { type: "joined", server: "other", version: 1, name: "Eve", since: 1 };
  const roster = { type: "roster", server: "other", version: 3, part: 0, parts: 1, members: [] };
  for (
    const wrong of [
      null,
      "said",
      { ...said, name: "E\nve" },
      { ...said, text: "x".repeat(20_000) },
      { ...said, server: "" },
      { ...said, member: -1 },
      { ...said, number: undefined },
      { ...joined, version: 0.5 },
      { ...joined, since: "1" },
      { ...joined, name: "\x1b" },
      { ...roster, parts: 1e9 },
      { ...roster, members: [["Eve"]] },
      { ...roster, members: [["E\x1bve", 1]] },
      { type: "renamed", server: "other", version: 1, name: "Eve", since: 1 },
      { type: "evil", server: "other", version: 1 },
      { type: "who", server: "other", of: {} },
    ]
  ) rooms.bus.publish(wrong as unknown as BusMessage);
  rooms.bus.publish({ ...said, text: "\x1b[2J" } as BusMessage);
  assert.deepEqual(await hear(browser, 1), [{ type: "said", name: "Eve", text: "\\x1b[2J" }]);
});

test("chat history: who comes back gets exactly what was missed, on whatever server", async () => {
  using rooms = new Rooms(memoryBus({ history: 100 }));
  const [a, b] = [rooms.open(), rooms.open()];
  const { browser: talker } = await enter(a);
  const { browser: one, left, welcome } = await enter(a);
  const { epoch, offset } = positionOf(welcome);
  assert.equal(offset, 0);
  talker.say("1");
  assert.deepEqual(
    (await hear(one, 1)).map((line) => line.type === "said" && line.position?.offset),
    [1],
  );
  one.say(null);
  await left;
  for (let i = 2; i <= 60; i++) talker.say(String(i));
  await until(() => JSON.stringify(talker.heard).includes('"60"'), "the last line");
  for (const room of [a, b]) {
    const { browser, welcome } = await enter(room, new Browser(), { epoch, offset: 1 });
    assert.deepEqual(positionOf(welcome), { epoch, offset: 1 });
    await until(() => linesOf(browser).length === 59, "all lines");
    const heard = linesOf(browser);
    assert.deepEqual(
      heard.map(({ position, text }) => [position?.offset, text]),
      Array.from({ length: 59 }, (_, i) => [i + 2, String(i + 2)]),
    );
    browser.say(null);
  }
  const { browser, welcome: fresh } = await enter(b);
  assert.deepEqual(positionOf(fresh), { epoch, offset: 60 });
  assert.deepEqual(linesOf(browser), []);
});

test("chat history: what is no longer kept is an explicit gap, and so is another epoch", async () => {
  using rooms = new Rooms(memoryBus({ history: 3 }));
  const room = rooms.open();
  const { browser: talker, welcome } = await enter(room);
  const { epoch } = positionOf(welcome);
  for (let i = 1; i <= 10; i++) talker.say(String(i));
  await hear(talker, 10);
  for (const from of [{ epoch, offset: 4 }, { epoch: "0", offset: 9 }]) {
    const { browser } = await enter(room, new Browser(), from);
    assert.deepEqual(await browser.next(), { type: "gap", position: { epoch, offset: 7 } });
    await until(() => linesOf(browser).length === 3, "the lines");
    assert.deepEqual(linesOf(browser).map(({ position }) => position?.offset), [8, 9, 10]);
    browser.say(null);
  }
  const { browser } = await enter(room, new Browser(), { epoch, offset: 7 });
  await until(() => linesOf(browser).length === 3, "the lines");
  assert.ok(browser.heard.every(({ type }) => type !== "gap"));
});

test("chat history: a server that knows less than who comes back tells of a gap, and goes on from now", async () => {
  using rooms = new Rooms(memoryBus({ history: 3 }));
  const room = rooms.open();
  const { browser: talker, welcome } = await enter(room);
  const { epoch } = positionOf(welcome);
  talker.say("1");
  await talker.next();
  const { browser } = await enter(room, new Browser(), { epoch: "zzzzzzzzz", offset: 9 });
  assert.deepEqual(await browser.next(), { type: "gap", position: { epoch, offset: 1 } });
  talker.say("2");
  await until(() => linesOf(browser).length === 1, "the line");
  assert.deepEqual(linesOf(browser).map(({ text }) => text), ["2"]);
});

test("chat history: a room that keeps nothing tells who comes back that there is a gap", async () => {
  const { browser } = await enter(chatRoom(), new Browser(), { epoch: "another", offset: 3 });
  assert.deepEqual(await hear(browser, 1), [{ type: "gap" }]);
});

test("chat history: one that has more to catch up with than may wait for it gets all of it", async () => {
  using rooms = new Rooms(memoryBus({ history: 1000 }));
  const room = rooms.open({ maxQueue: 2000 });
  const { browser: talker, welcome } = await enter(room);
  for (let i = 0; i < 200; i++) {
    talker.say(`${i} ${"x".repeat(200)}`);
    await talker.next();
  }
  const { browser } = await enter(room, new Browser(), positionOf(welcome));
  await until(() => browser.heard.length === 200, "all lines");
  assert.deepEqual(
    linesOf(browser).map(({ position }) => position?.offset),
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
});

/** How far ahead of a true number a forged one is: near, at the edges of what counts as late, and far. */
const AHEAD = [0, 1, 50_000, 100_000, 100_001, 200_000, 200_001, Number.MAX_SAFE_INTEGER - 100];

/** A roster of one member. */
const ONE_EVE = { type: "roster", part: 0, parts: 1, members: [["Eve", 1]] } as const;

test("chat bus: a forged line does not silence the server in whose name it came", async () => {
  for (const ahead of AHEAD) {
    using rooms = new Rooms();
    const { browser: one } = await enter(rooms.open());
    const { browser: two } = await enter(rooms.open());
    const said: BusMessage[] = [];
    rooms.bus.subscribe({ onMessage: (message) => said.push(message as BusMessage) });
    one.say("one");
    await until(() => said.length > 0, "the line");
    const [line] = said;
    assert.ok(line.type === "said");
    rooms.bus.publish({ ...line, number: line.number + ahead, member: 999, text: "forged" });
    // What is late is dropped, as ever.
    rooms.bus.publish({ ...line, text: "late" });
    one.say("two");
    one.say("three");
    for (const browser of [one, two]) {
      await until(() => linesOf(browser).some(({ text }) => text === "three"), `three, ${ahead}`);
      const texts = linesOf(browser).map(({ text }) => text);
      const isTrue = (text: string) => /^(?:one|two|three)$/.test(text);
      assert.deepEqual(texts.filter(isTrue), ["one", "two", "three"], String(ahead));
      if (browser === two && ahead <= 100_000) assert.ok(!texts.includes("late"), String(ahead));
    }
  }
});

/** Two servers on a bus that delivers at once, and what they have said there. */
function twoServers() {
  const clock = new VirtualClock();
  const all: Presence[] = [];
  const said: BusMessage[] = [];
  const [one, two] = ["one", "two"].map((id) =>
    new Presence({
      id,
      clock,
      publish(message) {
        said.push(message);
        for (const each of all) each.receive(message);
      },
      onChanges() {},
      onLost() {},
    })
  );
  all.push(one, two);
  return { clock, all, said, one, two };
}

test("chat bus: a forged change, or roster of a later version, counts until its server is heard", async () => {
  for (const ahead of AHEAD.slice(1)) {
    for (const change of [{ type: "joined", name: "Eve", since: 1 }, ONE_EVE] as const) {
      const { clock, all, one, two } = twoServers();
      one.join("Ada");
      for (const presence of all) {
        presence.receive({ ...change, server: "one", version: 1 + ahead });
      }
      one.join("Bob");
      await clock.advance(5000);
      one.join("Cy");
      assert.deepEqual([...two.names()].sort(), ["Ada", "Bob", "Cy"], `${change.type} ${ahead}`);
    }
  }
});

test("chat bus: a forged roster of the current version counts until its server is heard again", async () => {
  const forgeries = [[], [["Eve", 1]], [["Eve", 1], ["Bob", 2]]] as const;
  for (const members of forgeries) {
    for (const parts of [1, 2]) {
      const { clock, all, said, one, two } = twoServers();
      one.join("Ada");
      one.join("Bob");
      for (let part = 0; part < parts; part++) {
        const forged = { type: "roster", server: "one", version: 2, part, parts, members } as const;
        for (const presence of all) presence.receive(forged);
      }
      assert.notDeepEqual([...two.names()].sort(), ["Ada", "Bob"]);
      // It says every 5 s that it is there.
      await clock.advance(5000);
      assert.deepEqual([...two.names()].sort(), ["Ada", "Bob"]);
      // Its own roster is not taken for a forged one.
      await clock.advance(60_000);
      assert.equal(said.filter(({ type }) => type === "roster").length, 1);
    }
  }
});

test("chat bus: rosters that never end take no more than so many members, and others are heard", async () => {
  const names: string[] = [];
  const presence = new Presence({
    id: "own",
    clock: new VirtualClock(),
    publish() {},
    onChanges: (changes) => names.push(...changes.map(({ type }) => type)),
    onLost() {},
  });
  const members = Array.from({ length: 500 }, (_, i) => [`n${i}`, i] as const);
  const roster = { type: "roster", version: 1, members } as const;
  // 201 times 500 are more than 100,000.
  for (let i = 0; i < 201; i++) {
    presence.receive({ ...roster, server: `s${i}`, part: 0, parts: 2 });
  }
  for (let i = 0; i < 201; i++) {
    presence.receive({ ...roster, server: `s${i}`, part: 1, parts: 2 });
  }
  assert.deepEqual(names, []);
  presence.receive({ ...roster, server: "honest", part: 0, parts: 1 });
  await until(() => names.length === 500, "the members of an honest server");
});

test("chat bus: among 1,000 servers a name is there for as long as one of them has it", () => {
  const names = new Set<string>();
  const presence = new Presence({
    id: "own",
    clock: new VirtualClock(),
    publish() {},
    onChanges: (changes) => {
      for (const change of changes) {
        if (change.type === "joined") names.add(change.name);
        else if (change.type === "left") names.delete(change.name);
      }
    },
    onLost() {},
  });
  const roster = (server: string, version: number, all: readonly (readonly [string, number])[]) => {
    const parts = Math.ceil(all.length / 500);
    for (let part = 0; part < parts; part++) {
      const members = all.slice(part * 500, (part + 1) * 500);
      presence.receive({ type: "roster", server, version, part, parts, members });
    }
  };
  for (let i = 0; i < 999; i++) roster(`s${i}`, 1, [["shared", i]]);
  const many = Array.from({ length: 2000 }, (_, i) => [`n${i}`, 5] as const);
  roster("large", 1, many);
  assert.equal(names.size, 2001);
  assert.deepEqual([...presence.names()].filter((name) => /shared/i.test(name)), ["shared"]);
  for (let i = 0; i < 998; i++) presence.receive({ type: "bye", server: `s${i}` });
  assert.ok(names.has("shared"), "one server has it yet");
  presence.receive({ type: "left", server: "s998", version: 2, name: "shared" });
  assert.ok(!names.has("shared"));
  roster("large", 2, many.slice(0, 1));
  assert.deepEqual([...names], ["n0"]);
  presence.receive({ type: "bye", server: "large" });
  assert.deepEqual([...presence.names()], []);
});
