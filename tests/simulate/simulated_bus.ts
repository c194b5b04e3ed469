// A bus on simulated hosts: a broker on the host "bus", and its clients, which lose it and find it again.
// Each message is a line of JSON.

import { type Deferred, deferred } from "../../lib/base/wait.ts";
import { dial } from "../../lib/dial.ts";
import { lines } from "../../lib/frames/delimiter.ts";
import { FrameReader } from "../../lib/frames/reader.ts";
import type { Conn } from "../../lib/net/transport.ts";
import type {
  Bus,
  BusListener,
  BusMessage,
  BusState,
  ChatPosition,
} from "../../lib/protocols/chat/mod.ts";
import { serve } from "../../lib/serve/serve.ts";
import type { World } from "../../lib/simulate/simulate.ts";
import { bytes } from "../support/helpers.ts";

const PORT = 4222;
const ALIVE_MS = 3000;
/** After such a silence the other end is gone. */
const DEAD_MS = 7000;
const FRAMING = lines({ maxSize: 1_000_000 });
const decoder = new TextDecoder();

/** What a client sends: where it begins, a message, or a sign of life. */
type ToBroker =
  | { readonly type: "subscribe"; readonly from?: ChatPosition }
  | { readonly type: "publish"; readonly id: number; readonly message: BusMessage }
  | { readonly type: "alive" };

/** What the broker sends. */
type ToClient =
  | { readonly type: "start"; readonly position: ChatPosition }
  | { readonly type: "up" }
  | { readonly type: "kept"; readonly id: number }
  | { readonly type: "message"; readonly message: BusMessage; readonly offset?: number }
  | { readonly type: "alive" };

interface Kept {
  readonly message: BusMessage;
  readonly offset: number;
}

/** The other end of a line of JSON in each direction. It is gone after a silence. */
class Wire<In, Out> {
  readonly #conn: Conn;
  readonly #reader: FrameReader;
  readonly #world: World;
  #heard: number;

  constructor(conn: Conn, world: World) {
    this.#conn = conn;
    this.#world = world;
    this.#heard = world.clock.now();
    this.#reader = new FrameReader(conn, FRAMING);
  }

  send(message: Out): void {
    this.#conn.write(bytes(`${JSON.stringify(message)}\n`)).catch(() => {});
  }

  /** Hands over what comes, until the end or an error. */
  async run(alive: Out, onMessage: (message: In) => void): Promise<void> {
    const { clock } = this.#world;
    let cancel: () => void;
    const beat = () => {
      this.send(alive);
      if (clock.now() - this.#heard >= DEAD_MS) this.#conn.reset();
      else cancel = clock.setTimer(ALIVE_MS, beat);
    };
    cancel = clock.setTimer(ALIVE_MS, beat);
    try {
      for (let frame; (frame = await this.#reader.read()) !== null;) {
        this.#heard = clock.now();
        onMessage(JSON.parse(decoder.decode(frame)));
      }
    } catch {
      // It is gone, however.
    } finally {
      cancel();
      this.#conn.close();
    }
  }

  close(): void {
    this.#conn.reset();
  }
}

/** The broker. What it keeps outlives a crash, unless it is to forget. */
export class Broker {
  readonly #world: World;
  readonly #history: number;
  readonly #clients = new Set<Wire<ToBroker, ToClient>>();
  #kept: Kept[] = [];
  #epochs = 0;
  #offset = 0;
  #stop: (() => Promise<unknown>) | undefined;
  /** The text of each line that was ever kept, by its position. */
  readonly texts: Map<string, string> = new Map();

  constructor(world: World, history: number) {
    this.#world = world;
    this.#history = history;
  }

  get epoch(): string {
    return `epoch${this.#epochs}`;
  }

  get position(): ChatPosition {
    return { epoch: this.epoch, offset: this.#offset };
  }

  async start(): Promise<void> {
    const { clock } = this.#world;
    const listener = await this.#world.host("bus").listen({ host: "", port: PORT });
    const server = serve(listener, (conn) => this.#converse(conn), { clock, onError: () => {} });
    this.#stop = () => server.stop();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#stop?.();
  }

  crash(forget: boolean): void {
    this.#world.crash("bus");
    this.#clients.clear();
    if (!forget) return;
    this.#kept = [];
    this.#epochs++;
    this.#offset = 0;
  }

  async #converse(conn: Conn): Promise<void> {
    const wire = new Wire<ToBroker, ToClient>(conn, this.#world);
    await wire.run({ type: "alive" }, (message) => {
      if (message.type === "subscribe") this.#replay(wire, message.from);
      else if (message.type === "publish") this.#publish(wire, message);
    });
    this.#clients.delete(wire);
  }

  #replay(wire: Wire<ToBroker, ToClient>, from: ChatPosition | undefined): void {
    this.#clients.add(wire);
    if (this.#history > 0) {
      const begin = this.#offset - this.#kept.length;
      const exact = from?.epoch === this.epoch && from.offset >= begin;
      const start = exact ? from.offset : begin;
      wire.send({ type: "start", position: { epoch: this.epoch, offset: start } });
      for (const { message, offset } of this.#kept) {
        if (offset > start) wire.send({ type: "message", message, offset });
      }
    }
    wire.send({ type: "up" });
  }

  #publish(
    wire: Wire<ToBroker, ToClient>,
    { id, message }: Extract<ToBroker, { type: "publish" }>,
  ): void {
    if (this.#history === 0 || message.type !== "said") {
      for (const other of this.#clients) {
        if (other !== wire) other.send({ type: "message", message });
      }
      return;
    }
    const offset = ++this.#offset;
    this.texts.set(`${this.epoch} ${offset}`, message.text);
    this.#kept.push({ message, offset });
    if (this.#kept.length > this.#history) this.#kept.shift();
    for (const client of this.#clients) client.send({ type: "message", message, offset });
    wire.send({ type: "kept", id });
  }
}

/** A client of the broker, on a host of its own. */
export class SimulatedBus implements Bus {
  readonly isLocal = false;
  readonly history: number;
  readonly #world: World;
  readonly #host: string;
  readonly #pending = new Map<number, Deferred<void>>();
  #state: BusState = "down";
  #ids = 0;
  #listener: BusListener | undefined;
  #position: ChatPosition | undefined;
  #wire: Wire<ToClient, ToBroker> | undefined;
  #closed = false;

  constructor(world: World, host: string, history: number) {
    this.#world = world;
    this.#host = host;
    this.history = history;
  }

  get state(): BusState {
    return this.#state;
  }

  subscribe(listener: BusListener): () => void {
    this.#listener = listener;
    this.#position = listener.from;
    void this.#run();
    return () => this.close();
  }

  publish(message: BusMessage): void | Promise<void> {
    const isLine = message.type === "said";
    const keeps = isLine && this.history > 0 && this.#state === "up";
    if (isLine && !keeps) this.#listener?.onMessage(message, undefined);
    if (this.#state === "down") return;
    const id = ++this.#ids;
    this.#wire!.send({ type: "publish", id, message });
    if (!keeps) return;
    const kept = deferred<void>();
    this.#pending.set(id, kept);
    return kept.promise;
  }

  close(): void {
    this.#closed = true;
    this.#wire?.close();
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#world;
    while (!this.#closed) {
      const options = { host: "bus", port: PORT, clock, timeout: 3000 };
      const conn = await dial(this.#world.host(this.#host), options).catch(() => undefined);
      if (conn !== undefined && !this.#closed) await this.#converse(conn);
      else conn?.reset();
      if (!this.#closed) await this.#world.sleep(500 + random.integer(1000));
    }
  }

  async #converse(conn: Conn): Promise<void> {
    const wire = this.#wire = new Wire<ToClient, ToBroker>(conn, this.#world);
    wire.send({ type: "subscribe", from: this.#position });
    await wire.run({ type: "alive" }, (message) => {
      if (!this.#closed) this.#take(message);
    });
    const wasUp = this.#state === "up";
    this.#state = "down";
    for (const kept of this.#pending.values()) kept.reject(new Error("the bus is away"));
    this.#pending.clear();
    if (wasUp && !this.#closed) this.#listener?.onState?.("down");
  }

  #take(message: ToClient): void {
    if (message.type === "start") this.#start(message.position);
    else if (message.type === "up") {
      this.#state = "up";
      this.#listener?.onState?.("up");
    } else if (message.type === "kept") {
      this.#pending.get(message.id)?.resolve();
      this.#pending.delete(message.id);
    } else if (message.type === "message") {
      const { offset } = message;
      if (offset !== undefined) this.#position = { ...this.#position!, offset };
      this.#listener?.onMessage(message.message, offset === undefined ? undefined : this.#position);
    }
  }

  #start(position: ChatPosition): void {
    const { epoch, offset } = position;
    const isExact = this.#position?.epoch === epoch && this.#position.offset === offset;
    this.#position = position;
    if (!isExact) this.#listener?.onStart?.(position);
  }
}
