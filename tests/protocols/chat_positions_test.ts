// Positions in the kept lines of a chat that the bus, or who comes back, has wrong.

import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import {
  type Bus,
  type BusListener,
  type BusState,
  type ChatMessage,
  type ChatPosition,
  chatRoom,
} from "../../lib/protocols/chat/mod.ts";
import { test } from "../support/runner.deno.ts";
import { Browser, enter } from "./chat_browser.ts";

const EPOCH = "one";

/** A bus whose kept lines a test chooses. */
class ScriptedBus implements Bus {
  readonly isLocal = false;
  readonly history = 100;
  state: BusState = "down";
  #listener!: BusListener;

  publish(): void {}

  subscribe(listener: BusListener): () => void {
    this.#listener = listener;
    return () => {};
  }

  /** Comes up, with the lines from one number to another. */
  up(start: number, end: number): void {
    this.start(start);
    for (let offset = start + 1; offset <= end; offset++) this.line(offset);
    this.turn("up");
  }

  turn(state: BusState): void {
    this.state = state;
    this.#listener.onState?.(state);
  }

  start(offset: number): void {
    this.#listener.onStart?.(at(offset));
  }

  line(offset: number): void {
    const text = `line ${offset}`;
    const said = { type: "said", server: "other", member: 1, number: offset, name: "Ada", text };
    this.#listener.onMessage(said, at(offset));
  }

  keep(value: unknown, offset: number): void {
    this.#listener.onMessage(value, at(offset));
  }
}

function at(offset: number): ChatPosition {
  return { epoch: EPOCH, offset };
}

/** What a member has heard of lines and gaps, after what waits for it. */
async function heard(browser: Browser): Promise<unknown[]> {
  await new Promise((resolve) => setTimeout(resolve));
  const isOne = ({ type }: ChatMessage) => type === "said" || type === "gap";
  return browser.heard.splice(0).filter(isOne).map((message) =>
    message.type === "gap" ? { gap: message.position?.offset } : (message as { text: string }).text
  );
}

function open(): {
  bus: ScriptedBus;
  clock: VirtualClock;
  come(offset?: number): Promise<Browser>;
} {
  const [bus, clock] = [new ScriptedBus(), new VirtualClock()];
  const room = chatRoom({ bus, clock });
  const come = async (offset?: number) => {
    const from = offset === undefined ? undefined : at(offset);
    return (await enter(room, new Browser(), from)).browser;
  };
  return { bus, clock, come };
}

test("chat history: what is kept and no valid line is no gap, when it comes and for who comes back", async () => {
  const { bus, come } = open();
  bus.up(0, 2);
  const one = await come();
  const alive = { type: "alive", server: "other", version: 7 };
  for (const [i, value] of [undefined, null, "junk", {}, alive].entries()) bus.keep(value, 3 + i);
  bus.line(8);
  assert.deepEqual(await heard(one), ["line 8"]);
  assert.deepEqual(await heard(await come(1)), ["line 2", "line 8"]);
  assert.deepEqual(await heard(await come(5)), ["line 8"]);
  bus.line(10);
  assert.deepEqual(await heard(one), [{ gap: 9 }, "line 10"]);
});

test("chat history: who has heard more than its server hears nothing twice while the server catches up", async () => {
  const { bus, clock, come } = open();
  bus.up(0, 2);
  const [early, one] = [await come(), await come(4)];
  for (const offset of [3, 4, 5]) bus.line(offset);
  assert.deepEqual(await heard(one), ["line 5"]);
  assert.deepEqual(await heard(early), ["line 3", "line 4", "line 5"]);
  // While the bus is away, however long, the server cannot know.
  bus.turn("down");
  const two = await come(7);
  await clock.advance(60_000);
  for (const offset of [6, 7, 8]) bus.line(offset);
  bus.turn("up");
  assert.deepEqual(await heard(two), ["line 8"]);
  assert.deepEqual(await heard(one), ["line 6", "line 7", "line 8"]);
});

test("chat history: a position that nobody has reached is a gap once the server has all, or after 30 s", async () => {
  const { bus, clock, come } = open();
  const early = await come(900);
  bus.up(0, 2);
  assert.deepEqual(await heard(early), [{ gap: 2 }]);
  const late = await come(999);
  await clock.advance(29_000);
  bus.line(3);
  assert.deepEqual(await heard(late), []);
  await clock.advance(2_000);
  bus.line(4);
  bus.line(5);
  assert.deepEqual(await heard(late), [{ gap: 3 }, "line 4", "line 5"]);
  assert.deepEqual(await heard(early), ["line 3", "line 4", "line 5"]);
});

test("chat history: when the bus has lost its last lines everybody hears of a gap, and each new line once", async () => {
  const { bus, come } = open();
  bus.up(0, 6);
  const [fresh, back] = [await come(), await come(2)];
  assert.deepEqual(await heard(back), ["line 3", "line 4", "line 5", "line 6"]);
  bus.turn("down");
  bus.start(4);
  bus.turn("up");
  bus.line(5);
  bus.line(6);
  for (const one of [fresh, back]) {
    assert.deepEqual(await heard(one), [{ gap: 4 }, "line 5", "line 6"]);
  }
});
