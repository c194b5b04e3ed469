/**
 * A bus on NATS: it joins the rooms of many servers.
 *
 * @module
 */

import {
  checkOptions,
  CLOCK,
  FUNCTION,
  integer,
  type Kinds,
  required,
  TEXT,
  TRANSPORT,
} from "../../base/arguments.ts";
import { escapeText } from "../../base/escape.ts";
import { Backoff } from "../../base/backoff.ts";
import { type Clock, sleep, systemClock } from "../../base/clock.ts";
import { deferred } from "../../base/wait.ts";
import type { Transport } from "../../net/transport.ts";
import type { Bus, BusListener, BusMessage, BusState, ChatPosition } from "./bus.ts";
import { loadNats } from "./nats/packages.deno.ts";
import type { NatsSession } from "./nats/session.ts";
import { type NatsPlace, natsPlace } from "./nats/url.ts";

/** The time after which a connection counts as stable, in milliseconds: the backoff begins anew. */
const STEADY_MS = 5000;

/** Options of {@linkcode natsBus}. */
export interface NatsBusOptions {
  /**
   * Where NATS is, and which room it is: `nats://HOST:4222/ROOM`. A user and a password, or a token, may
   * stand before the host. Default of the port: 4222, of the room: `main`.
   */
  readonly url: string;
  /**
   * The number of lines that NATS keeps, in a stream of JetStream. The first server makes the stream; one
   * that is there stays as it is. Default: 0.
   */
  readonly history?: number;
  /** The transport to connect with. Default: the system's. */
  readonly transport?: Transport;
  /** The clock of the waits between attempts. Default: the system's. */
  readonly clock?: Clock;
  /** Called when the bus has come or gone, or could not be reached; `why` says why it is down. */
  readonly onState?: (state: BusState, why: string) => void;
  /**
   * Called with the reason when NATS does not take a line: its stream is full, say. Called again when the
   * reason is another one, or a line was kept meanwhile.
   */
  readonly onRefused?: (why: string) => void;
}

const OPTIONS: Kinds<NatsBusOptions> = {
  url: required(TEXT),
  history: integer(0),
  transport: TRANSPORT,
  clock: CLOCK,
  onState: FUNCTION,
  onRefused: FUNCTION,
};

/** A bus on NATS. It has one subscriber. */
export interface NatsBus extends Bus {
  /** Resolves when the subscriber has ended it, and all that was published has left. */
  readonly closed: Promise<void>;
}

/**
 * Makes a bus on NATS. It connects when a room subscribes, and again whenever it is lost. A room ends it
 * when its `signal` is aborted.
 *
 * The packages `@nats-io/nats-core` and `@nats-io/jetstream` are needed; plainsocket does not install
 * them. Rejects if they are missing, and with a RangeError if the URL is not valid. A server that cannot
 * be reached is no error: the bus is down, and goes on trying.
 *
 * All that may publish on the bus are trusted: they can speak in any name.
 *
 * @example
 * ```ts ignore
 * import { chatRoom, natsBus } from "@plainsocket/plainsocket/chat";
 *
 * const stop = new AbortController();
 * const bus = await natsBus({ url: "nats://127.0.0.1:4222", history: 1000 });
 * const room = chatRoom({ bus, signal: stop.signal });
 *
 * stop.abort();
 * await bus.closed;
 * ```
 */
export async function natsBus(options: NatsBusOptions): Promise<NatsBus> {
  checkOptions("natsBus", options, OPTIONS, '{ url: "nats://127.0.0.1:4222" }');
  const place = placeOf(options.url);
  const { history = 0, clock = systemClock } = options;
  const { NatsSession } = await import("./nats/session.ts");
  await loadNats().catch((error) => {
    const [why] = (error as Error).message.split("\n");
    const next = "On Node: npm install @nats-io/nats-core @nats-io/jetstream";
    throw new Error(`Cannot load the client of NATS: ${why}. ${next}`, { cause: error });
  });
  const { transport } = options;
  return new ReconnectingBus(
    (stop) => NatsSession.open({ place, transport, stop }),
    history,
    clock,
    options,
  );
}

function placeOf(url: string): NatsPlace {
  try {
    return natsPlace(url);
  } catch (error) {
    throw new RangeError(`natsBus: url ${(error as Error).message}`);
  }
}

/** Returns the message of an error. The same error has the same message each time. */
function reasonOf(error: Error | void): string {
  return escapeText(error?.message ?? "").replace(/_INBOX\.[^"\s]+/g, "_INBOX.>");
}

class ReconnectingBus implements NatsBus {
  readonly isLocal = false;
  readonly history: number;
  readonly #open: (stop: AbortSignal) => Promise<NatsSession>;
  readonly #clock: Clock;
  readonly #onState: (state: BusState, why: string) => void;
  readonly #onRefused: (why: string) => void;
  readonly #stop = new AbortController();
  readonly #stopped = deferred<void>();
  readonly #closed = deferred<void>();
  readonly #backoff = new Backoff(250, 5000);
  #state: BusState = "down";
  #listener: BusListener | undefined;
  /** The position of the last kept line. */
  #position: ChatPosition | undefined;
  /** Whether the listener knows where it began. */
  #hasBegun = false;
  #session: NatsSession | undefined;
  /** When it came up last. */
  #upSince = 0;
  /** Why the last line was refused. Undefined if it was kept. */
  #refusal: string | undefined;

  constructor(
    open: (stop: AbortSignal) => Promise<NatsSession>,
    history: number,
    clock: Clock,
    { onState = () => {}, onRefused = () => {} }: NatsBusOptions,
  ) {
    this.#open = open;
    this.history = history;
    this.#clock = clock;
    this.#onState = onState;
    this.#onRefused = onRefused;
    this.#stop.signal.addEventListener("abort", () => this.#stopped.resolve());
  }

  get state(): BusState {
    return this.#state;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  subscribe(listener: BusListener): () => void {
    if (this.#listener !== undefined) throw new TypeError("A bus on NATS has one subscriber");
    this.#listener = listener;
    this.#position = listener.from;
    void this.#run(listener).then(this.#closed.resolve);
    return () => this.#stop.abort();
  }

  publish(message: BusMessage): void | Promise<"refused" | void> {
    const session = this.#state === "up" ? this.#session : undefined;
    if (message.type === "said") {
      if (session !== undefined && this.history > 0) return this.#keep(session, message);
      this.#listener?.onMessage(message, undefined);
    }
    return session?.send(message);
  }

  async #keep(session: NatsSession, message: BusMessage): Promise<"refused" | void> {
    const why = await session.keep(message);
    if (why !== undefined && why !== this.#refusal) this.#onRefused(escapeText(why));
    this.#refusal = why;
    if (why !== undefined) return "refused";
  }

  async #run(listener: BusListener): Promise<void> {
    const { signal } = this.#stop;
    let before = "";
    while (!signal.aborted) {
      const why = await this.#converse(listener);
      const wasUp = this.#state === "up";
      this.#state = "down";
      if (wasUp && !signal.aborted) listener.onState?.("down");
      await this.#session?.close();
      this.#session = undefined;
      if (signal.aborted) return;
      if (wasUp || why !== before) this.#onState("down", why);
      before = why;
      // A server that NATS accepts and disconnects again waits longer each time.
      if (wasUp && this.#clock.now() - this.#upSince >= STEADY_MS) this.#backoff.reset();
      // Not all servers are to come back at the same moment.
      await sleep(this.#backoff.next() * (0.5 + Math.random()), this.#clock, signal);
    }
  }

  /** Connects. Resolves when that has failed, or the connection has ended, with why. */
  async #converse(listener: BusListener): Promise<string> {
    try {
      this.#session = await this.#open(this.#stop.signal);
      await Promise.race([this.#stopped.promise, this.#follow(this.#session, listener)]);
      const why = await Promise.race([this.#stopped.promise, this.#session.ended()]);
      return reasonOf(why);
    } catch (error) {
      return reasonOf(error as Error);
    }
  }

  #follow(session: NatsSession, listener: BusListener): Promise<void> {
    return session.follow(this.history, {
      onMessage: (message, position) => {
        if (this.#stop.signal.aborted) return;
        if (position !== undefined) this.#goOn(listener, position);
        listener.onMessage(message, position);
      },
      onKept: (begin, end) => this.#resume(listener, begin, end),
      onUp: () => {
        this.#state = "up";
        this.#upSince = this.#clock.now();
        this.#onState("up", "");
        listener.onState?.("up");
      },
    });
  }

  /** Takes the position of the next line, and says so if others are missing before it. */
  #goOn(listener: BusListener, position: ChatPosition): void {
    const { epoch, offset } = position;
    if (this.#position?.offset !== offset - 1) listener.onStart?.({ epoch, offset: offset - 1 });
    this.#position = position;
  }

  /** Goes on where the last line was, if what is behind it is still kept. */
  #resume(listener: BusListener, begin: ChatPosition, end: ChatPosition): number {
    const last = this.#position;
    const isSame = last?.epoch === begin.epoch;
    const isExact = isSame && last.offset >= begin.offset && last.offset <= end.offset;
    // NATS has lost the last lines: those that it has were heard.
    const isBack = isSame && this.#hasBegun && last.offset > end.offset;
    const start = isExact ? last : isBack ? end : begin;
    if (!isExact || !this.#hasBegun) listener.onStart?.(start);
    this.#hasBegun = true;
    this.#position = start;
    return start.offset;
  }
}
