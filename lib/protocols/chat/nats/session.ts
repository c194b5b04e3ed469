/**
 * One connection to NATS: from its beginning until it is lost.
 *
 * @module
 */

import type { DeliverPolicy } from "@nats-io/jetstream";
import type { NatsConnectionImpl } from "@nats-io/nats-core/internal";
import { Buffer } from "node:buffer";
import { inNextTurn } from "../../../base/clock.ts";
import { deferred } from "../../../base/wait.ts";
import { systemTransport } from "../../../net/system.deno.ts";
import type { Transport } from "../../../net/transport.ts";
import { type BusMessage, type ChatPosition, epochOf } from "../bus.ts";
import { loadNats, type NatsPackages } from "./packages.deno.ts";
import { openStream } from "./stream.ts";
import { ConnTransport } from "./transport.ts";
import type { NatsPlace } from "./url.ts";

/** The time to connect, in milliseconds. */
const CONNECT_MS = 5000;
/** The interval of pings, in milliseconds. After three without an answer the connection is lost. */
const PING_MS = 5000;
/** The time that NATS gets to keep a line, in milliseconds. */
const KEEP_MS = 5000;
/** The most bytes of a message that is read: ours are smaller. */
const MAX_MESSAGE = 256 * 1024;
/** The most bytes of our messages: a part of a roster is the largest. NATS must take as much. */
const LEAST_PAYLOAD = 64 * 1024;
/** NATS's own error for a stream of another name: the one of the room is gone. */
const WRONG_STREAM = 10_060;

/**
 * The package of NATS has one factory of transports for all connections, and calls it some turns after
 * `connect()` was called. Resolves when it has been called for the last connection.
 */
let asking: Promise<void> = Promise.resolve();

/** Options of {@linkcode NatsSession}. */
export interface SessionOptions {
  readonly place: NatsPlace;
  /** Default: the system's. */
  readonly transport: Transport | undefined;
  /** Ends an attempt to connect. */
  readonly stop: AbortSignal;
}

/** The receivers of messages. */
export interface SessionListener {
  /** A message; `position` is that of a line that is kept. */
  onMessage(message: unknown, position: ChatPosition | undefined): void;
  /** The lines after `begin`, up to `end`, are kept. Returns the offset after which to go on. */
  onKept(begin: ChatPosition, end: ChatPosition): number;
  /** All kept lines have arrived. */
  onUp(): void;
}

/** See the module. */
export class NatsSession {
  readonly #nc: NatsConnectionImpl;
  readonly #jetstream: NatsPackages["jetstream"];
  readonly #place: NatsPlace;
  readonly #transport: ConnTransport;
  readonly #failure = deferred<Error>();

  private constructor(
    nc: NatsConnectionImpl,
    { jetstream }: NatsPackages,
    place: NatsPlace,
    transport: ConnTransport,
  ) {
    this.#nc = nc;
    this.#transport = transport;
    this.#jetstream = jetstream;
    this.#place = place;
    void this.#watchErrors();
  }

  /** Connects. Rejects if that fails. */
  static async open(
    { place, transport = systemTransport, stop }: SessionOptions,
  ): Promise<NatsSession> {
    const { server, user, pass, token } = place;
    const packages = await loadNats();
    const { setTransportFactory, NatsConnectionImpl } = packages.core;
    // Only until the server has answered: after that, what was published leaves before the end.
    const giveUp = new AbortController();
    const onStop = () => giveUp.abort();
    stop.addEventListener("abort", onStop);
    if (stop.aborted) onStop();
    const asked = deferred<void>();
    const before = asking;
    asking = asked.promise;
    await before;
    const carrier = new ConnTransport(packages.core, transport, giveUp.signal);
    setTransportFactory({
      factory: () => {
        asked.resolve();
        return carrier;
      },
    });
    const nc = await NatsConnectionImpl.connect({
      servers: [server],
      name: "plainsocket chat",
      user,
      pass,
      token,
      noEcho: true,
      reconnect: false,
      ignoreClusterUpdates: true,
      timeout: CONNECT_MS,
      pingInterval: PING_MS,
      maxPingOut: 2,
    }).finally(() => {
      asked.resolve();
      stop.removeEventListener("abort", onStop);
    });
    const most = nc.info?.max_payload ?? 0;
    if (most >= LEAST_PAYLOAD) {
      return new NatsSession(nc as NatsConnectionImpl, packages, place, carrier);
    }
    await nc.close();
    throw new Error(`its max_payload is ${most}: it must be at least ${LEAST_PAYLOAD}`);
  }

  /** Hands over what arrives. Rejects if it cannot subscribe. */
  async follow(history: number, listener: SessionListener): Promise<void> {
    const { lines, presence } = this.#place;
    this.#subscribe(presence, listener);
    if (history === 0) this.#subscribe(lines, listener);
    // An empty message, which all ignore: it shows whether this server may publish.
    this.#nc.publish(presence);
    await this.#flush();
    if (history > 0) await this.#followKept(history, listener);
    else listener.onUp();
  }

  /** Resolves when the connection is lost, or of no more use, with why. */
  async ended(): Promise<Error> {
    const closed = this.#nc.closed().then((error) => error ?? new Error("NATS has closed it"));
    return await Promise.race([this.#failure.promise, closed]);
  }

  /** Sends a message to the others. Returns a promise if much waits: it resolves when that has left. */
  send(message: BusMessage): Promise<void> | undefined {
    const { lines, presence } = this.#place;
    try {
      this.#nc.publish(message.type === "said" ? lines : presence, JSON.stringify(message));
    } catch (error) {
      // The connection was closed a moment ago, and not because of this message.
      this.#failure.resolve(error as Error);
    }
    return this.#transport.congestion;
  }

  /**
   * Has a line be kept. Resolves with why NATS has refused it; undefined if it is kept. Rejects if that is
   * not known.
   */
  async keep(message: BusMessage): Promise<string | undefined> {
    try {
      await this.#jetstream.jetstream(this.#nc).publish(
        this.#place.lines,
        JSON.stringify(message),
        {
          timeout: KEEP_MS,
          retries: 1,
          expect: { streamName: this.#place.stream },
        },
      );
      return undefined;
    } catch (error) {
      const { name, message, code } = error as Error & { code?: unknown };
      if (name === "JetStreamApiError" && code !== WRONG_STREAM) return message;
      // Without its stream, or too slow: begin anew.
      this.#failure.resolve(error as Error);
      throw error;
    }
  }

  /** Ends it; what was sent before leaves. */
  async close(): Promise<void> {
    await this.#nc.close();
  }

  /** Resolves when NATS has taken all up to now. Rejects if something of it was not allowed. */
  async #flush(): Promise<void> {
    const failed = this.ended().then((error) => Promise.reject(error));
    await Promise.race([this.#nc.flush(), failed]);
    // An error that came before the answer is reported a little later.
    await Promise.race([new Promise<void>((resolve) => inNextTurn(resolve)), failed]);
  }

  /** NATS reports what is not allowed afterwards, and not to the call that asked for it. */
  async #watchErrors(): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (status.type === "error") this.#failure.resolve(status.error);
    }
  }

  #subscribe(subject: string, listener: SessionListener): void {
    this.#nc.subscribe(subject, {
      // NATS would write an error that is thrown here to the console.
      callback: (error, { data }) => {
        try {
          if (error !== null) throw error;
          listener.onMessage(parsed(data), undefined);
        } catch (error) {
          this.#failure.resolve(error as Error);
        }
      },
    });
  }

  /** Gets the lines that are kept, then those that come. */
  async #followKept(history: number, listener: SessionListener): Promise<void> {
    const jetstream = this.#jetstream.jetstream(this.#nc);
    const manager = await jetstream.jetstreamManager(false);
    const { created, state } = await openStream(manager, this.#place, history);
    const epoch = epochOf(Date.parse(created));
    const last = state.last_seq;
    const first = state.messages === 0 ? last : state.first_seq - 1;
    // The stream may keep more than the servers do.
    const begin = Math.max(first, last - history);
    let offset = listener.onKept({ epoch, offset: begin }, { epoch, offset: last });
    let isUp = false;
    // The last line may have been deleted: then the one with its number never comes.
    const upAtEnd = (pending: number) => {
      if (isUp || offset < last && pending > 0) return;
      isUp = true;
      listener.onUp();
    };
    const consumer = await jetstream.consumers.getPushConsumer(this.#place.stream, {
      deliver_policy: "by_start_sequence" as DeliverPolicy,
      opt_start_seq: offset + 1,
    });
    const { num_pending: pending } = await consumer.info(true);
    const messages = await consumer.consume({
      callback: ({ seq, data, info }) => {
        if (seq <= offset) return;
        offset = seq;
        listener.onMessage(parsed(data), { epoch, offset });
        upAtEnd(info.pending);
      },
    });
    void this.#watch(messages.status());
    upAtEnd(pending);
  }

  /** The stream is gone, or what delivers it: begin anew. */
  async #watch(status: AsyncIterable<{ readonly type: string }>): Promise<void> {
    for await (const { type } of status) {
      if (type !== "heartbeat" && type !== "flow_control") {
        return this.#failure.resolve(new Error(`the stream was lost (${type})`));
      }
    }
  }
}

function parsed(data: Uint8Array): unknown {
  if (data.length > MAX_MESSAGE) return undefined;
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.length).toString());
  } catch {
    return undefined;
  }
}
