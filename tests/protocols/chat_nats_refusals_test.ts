// What NATS does not take or allow: its operator is told why, and members what became of their lines.

import assert from "node:assert/strict";
import { type JetStreamManager, jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { chatRoom, natsBus, type NatsBusOptions } from "../../lib/protocols/chat/mod.ts";
import { openStream } from "../../lib/protocols/chat/nats/stream.ts";
import { natsPlace } from "../../lib/protocols/chat/nats/url.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { observe } from "../../lib/observe/observe.ts";
import { until } from "../support/helpers.ts";
import { Nats } from "../support/nats.ts";
import { test } from "../support/runner.deno.ts";
import { type Browser, enter } from "./chat_browser.ts";

const LINES = natsPlace("nats://a").lines;
const STREAM = natsPlace("nats://a").stream;

/** Users who may not do one thing, and one who may do what docs/chat.md says. Their password is `p`. */
const USERS = `
  jetstream: enabled
  authorization { users = [
    { user: deaf, password: p, permissions: { subscribe: { deny: "plainsocket.>" } } }
    { user: mute, password: p, permissions: { publish: { deny: "plainsocket.>" } } }
    { user: lineless, password: p, permissions: { publish: { deny: "${LINES}" } } }
    { user: inboxless, password: p, permissions: { subscribe: { deny: "_INBOX.>" } } }
    { user: streamless, password: p, permissions: { publish: { deny: "$JS.>" } } }
    { user: enough, password: p, permissions: {
      publish: ["plainsocket.chat.main.*", "$JS.>"]
      subscribe: ["plainsocket.chat.main.*", "_INBOX.>"]
    } }
  ] }`;

/** A member of a room whose server has a bus, and what that bus says. */
class Seat implements AsyncDisposable {
  readonly states: string[] = [];
  readonly refusals: string[] = [];
  readonly #stop = new AbortController();
  #closed: Promise<void> | undefined;
  browser!: Browser;

  static async take(url: string, history: number, more?: Partial<NatsBusOptions>): Promise<Seat> {
    const seat = new Seat();
    const bus = await natsBus({
      url,
      history,
      onState: (state, why) => seat.states.push(why === "" ? state : `${state}: ${why}`),
      onRefused: (why) => seat.refusals.push(why),
      ...more,
    });
    seat.#closed = bus.closed;
    seat.browser = (await enter(chatRoom({ bus, signal: seat.#stop.signal }))).browser;
    await until(() => seat.states.length > 0, "a state");
    return seat;
  }

  async says(text: string, answer: string): Promise<void> {
    this.browser.say(text);
    await until(() => JSON.stringify(this.browser.heard).includes(answer), answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#closed;
  }
}

async function streamsOf(nats: Nats) {
  const operator = await connect({ servers: nats.url, reconnect: false });
  const { streams } = await jetstreamManager(operator);
  return { streams, [Symbol.asyncDispose]: () => operator.close() };
}

test(
  "chat nats: who may not subscribe or publish is away with the reason, and stays away",
  async () => {
    await using nats = await Nats.configured(USERS);
    for (
      const [user, histories, why] of [
        ["deaf", [0, 5], /Subscription to "plainsocket\.chat\.main\.presence"/],
        ["mute", [0, 5], /Publish to "plainsocket\.chat\.main\.presence"/],
        ["inboxless", [5], /Subscription to "_INBOX\.>"/],
        ["streamless", [5], /Publish to "\$JS\.API\./],
      ] as const
    ) {
      for (const history of histories) {
        await using seat = await Seat.take(nats.url.replace("//", `//${user}:p@`), history);
        await seat.says("hello", '"hello"');
        assert.equal(seat.states.length, 1, `${user}: ${seat.states}`);
        assert.match(seat.states[0], new RegExp(`^down: Permissions Violation for ${why.source}`));
      }
    }
    await using seat = await Seat.take(nats.url.replace("//", "//enough:p@"), 5);
    await seat.says("hello", '"offset":1');
    assert.deepEqual(seat.states, ["up"]);
  },
  ["nats-server"],
);

test(
  "chat nats: a bus that takes a server in and turns it out again is asked less and less often",
  async () => {
    await using nats = await Nats.configured(USERS);
    const clock = new VirtualClock();
    let attempts = 0;
    const transport = observe(systemTransport, ({ type }) => {
      if (type === "connect") attempts++;
    });
    const url = nats.url.replace("//", "//lineless:p@");
    await using seat = await Seat.take(url, 0, { clock, transport });
    const waits: number[] = [];
    for (let round = 1; round <= 6; round++) {
      await until(() => seat.states.at(-1) === "up", "the bus");
      seat.browser.say("hello");
      await until(() => seat.states.at(-1) !== "up", "the bus to be away");
      assert.match(seat.states.at(-1)!, /Publish to "plainsocket\.chat\.main\.lines"/);
      const since = clock.now();
      while (attempts === round) await clock.advance(100);
      waits.push(clock.now() - since);
    }
    // It doubles from a quarter of a second to five, and half to one and a half of that is waited.
    assert.ok(waits[5] >= 2500, String(waits));
  },
  ["nats-server"],
);

test(
  "chat nats: a NATS or a stream that cannot serve the room is away, and the reason says what to change",
  async () => {
    await using small = await Nats.configured("max_payload: 4096");
    await using nats = await Nats.start("--jetstream");
    await using operator = await streamsOf(nats);
    const whyOf = async (url: string, history: number) => {
      await using seat = await Seat.take(url, history);
      await seat.says("x".repeat(900), "xxx");
      return seat.states.join();
    };
    for (const history of [0, 5]) {
      const why = await whyOf(small.url, history);
      assert.equal(why, "down: its max_payload is 4096: it must be at least 65536");
    }
    const all: Partial<StreamConfig>[] = [
      { subjects: [LINES] },
      { subjects: ["a.b", "plainsocket.chat.*.lines"] },
      { subjects: ["plainsocket.chat.>"] },
    ];
    for (const config of all) {
      await operator.streams.add({ name: STREAM, ...config });
      assert.equal(await whyOf(nats.url, 5), "up", JSON.stringify(config));
      await operator.streams.delete(STREAM);
    }
    const wrong: [Partial<StreamConfig>, RegExp][] = [
      [{ subjects: ["plainsocket.chat.main"] }, /does not have the subject .*main\.lines: add it/],
      [{ subjects: [`${LINES}.>`, "plainsocket.*"] }, /does not have the subject/],
      [{ subjects: [LINES], no_ack: true }, /has no_ack, and confirms no line: unset it/],
      [{ subjects: [LINES], retention: "workqueue" }, /workqueue/],
    ];
    for (const [config, why] of wrong) {
      await operator.streams.add({ name: STREAM, ...config });
      assert.match(await whyOf(nats.url, 5), new RegExp(`^down: .*${why.source}`));
      await operator.streams.delete(STREAM);
    }
  },
  ["nats-server"],
);

test(
  "chat nats: a line that the stream refuses is told to who said it, and the room stays up",
  async () => {
    await using nats = await Nats.start("--jetstream");
    await using operator = await streamsOf(nats);
    const limits = { max_msgs: 1, discard: "new", max_msg_size: 300 } as Partial<StreamConfig>;
    await operator.streams.add({ name: STREAM, subjects: [LINES], ...limits });
    await using seat = await Seat.take(nats.url, 5);
    const { browser } = seat;
    await seat.says("long ".repeat(60), "Nobody got this, since it could not be kept: long");
    await seat.says("one", '"one"');
    await seat.says("two", "could not be kept: two");
    await seat.says("three", "could not be kept: three");
    await operator.streams.purge(STREAM);
    await seat.says("four", '"four"');
    await seat.says("five", "could not be kept: five");
    const said = browser.heard.filter((message) => message.type === "said");
    assert.deepEqual(said.map(({ text, position }) => [text, position?.offset]), [
      ["one", 1],
      ["four", 2],
    ]);
    assert.deepEqual(seat.states, ["up"]);
    const full = "maximum messages exceeded";
    assert.deepEqual(seat.refusals, ["message size exceeds maximum allowed", full, full]);
  },
  ["nats-server"],
);

test("chat nats: a stream that another server has just begun to create is waited for, as it has no time yet", async () => {
  const created = "2026-01-02T03:04:05Z";
  const place = natsPlace("nats://a");
  const openedAfter = async (asked: number) => {
    const info = () =>
      Promise.resolve({
        created: asked-- > 0 ? "0001-01-01T00:00:00Z" : created,
        config: { name: STREAM, subjects: [LINES] },
      });
    return await openStream({ streams: { info } } as unknown as JetStreamManager, place, 5);
  };
  assert.equal((await openedAfter(3)).created, created);
  await assert.rejects(openedAfter(Infinity), /^Error: the stream \S+ is still being created$/);
});
