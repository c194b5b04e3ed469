/**
 * How the NATS client gets its bytes: over a connection of ours.
 *
 * @module
 */

import type {
  ConnectionOptions,
  Server,
  Transport as NatsTransport,
} from "@nats-io/nats-core/internal";
import { Buffer } from "node:buffer";
import { VERSION } from "../../../base/version.ts";
import { inNextTurn, systemClock } from "../../../base/clock.ts";
import { deferred, within } from "../../../base/wait.ts";
import { dial } from "../../../dial.ts";
import type { Conn, Transport } from "../../../net/transport.ts";
import type { NatsPackages } from "./packages.deno.ts";

/** The most bytes that may wait to be sent, over which the connection counts as lost. */
const MAX_WAITING = 8 * 1024 * 1024;

/** The number of waiting bytes above which a sender has to wait. */
const MUCH_WAITING = 256 * 1024;

/**
 * The most bytes of a line without its end; messages are bounded by the client. NATS's own lines are of
 * 4 KiB, its INFO of a cluster is longer. The client takes quadratic time for them.
 */
const MAX_LINE = 128 * 1024;

/** How long what was sent before the end may take to leave, in milliseconds. */
const FLUSH_MS = 1000;

const NO_NATS = "what it sends is not NATS";
const NEEDS_TLS = "it requires TLS, which the connection to it does not have";

/** Says why the client cannot go on with what the server says of itself. Throws if it cannot read that. */
function refusalOf(info: Uint8Array | undefined): string | undefined {
  const { version, tls_required: needsTls } = JSON.parse(new TextDecoder().decode(info));
  if (!/^\d+\.\d+\.\d+/.test(version)) return NO_NATS;
  return needsTls === true ? NEEDS_TLS : undefined;
}

/** See the module. */
export class ConnTransport implements NatsTransport {
  readonly lang = "plainsocket";
  readonly version: string = VERSION;
  readonly #transport: Transport;
  readonly #stop: AbortSignal;
  /** Reads all that arrives before the client does: what that cannot read, it writes to the console. */
  readonly #reader: InstanceType<NatsPackages["core"]["Parser"]>;
  readonly #giveUp = new AbortController();
  readonly #closed = deferred<void | Error>();
  #conn: Conn | undefined;
  #waiting = 0;
  /** The last write. */
  #writing: Promise<void> = Promise.resolve();
  /** Why the server is of no use. */
  #refusal: string | undefined;
  isClosed = false;
  closeError?: Error;

  /** `stop` ends it, whether it is connected or not yet. */
  constructor(core: NatsPackages["core"], transport: Transport, stop: AbortSignal) {
    this.#transport = transport;
    this.#stop = stop;
    this.#reader = new core.Parser({
      push: (event) => {
        if ("kind" in event && event.kind === core.Kind.INFO) this.#refusal = refusalOf(event.data);
      },
    });
    stop.addEventListener("abort", this.#onStop);
    this.#onStop();
  }

  readonly #onStop = (): void => {
    if (this.#stop.aborted) this.#end(new Error("the attempt was given up"));
  };

  async connect({ hostname: host, port }: Server, { timeout }: ConnectionOptions): Promise<void> {
    const { signal } = this.#giveUp;
    const conn = await dial(this.#transport, { host, port, timeout, signal, noDelay: true });
    this.#conn = conn;
    if (this.isClosed) conn.reset();
  }

  /** Resolves when what waits to be sent has left. Undefined if it is little. */
  get congestion(): Promise<void> | undefined {
    return this.#waiting > MUCH_WAITING ? this.#writing : undefined;
  }

  isEncrypted(): boolean {
    return false;
  }

  send(frame: Uint8Array): void {
    if (this.#conn === undefined || this.isClosed) return;
    this.#waiting += frame.length;
    if (this.#waiting > MAX_WAITING) {
      return this.#end(new Error(`the bus is too slow: ${this.#waiting} bytes wait for it`));
    }
    this.#writing = this.#conn.write(frame).then(
      () => void (this.#waiting -= frame.length),
      (error) => this.#end(error),
    );
  }

  /** The bytes that arrive, to the end. It never throws: an error ends it. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      let n: number | null;
      try {
        n = await this.#conn!.read(buffer);
      } catch (error) {
        return this.#end(error as Error);
      }
      if (n === null) return this.#end(undefined);
      // The client keeps what it gets.
      const chunk = Buffer.from(buffer.subarray(0, n));
      const why = this.#refusalOf(chunk);
      if (why !== undefined) return this.#end(new Error(why));
      yield chunk;
      // Members send what they have heard before more comes: a burst would fill their queues.
      await new Promise<void>((resolve) => inNextTurn(resolve));
    }
  }

  #refusalOf(chunk: Uint8Array): string | undefined {
    try {
      this.#reader.parse(chunk);
    } catch {
      return NO_NATS;
    }
    const isEndless = (this.#reader.argBuf?.length ?? 0) > MAX_LINE;
    return isEndless ? NO_NATS : this.#refusal;
  }

  async close(error?: Error): Promise<void> {
    if (error === undefined) await within(this.#writing, FLUSH_MS, systemClock);
    this.#end(error);
  }

  disconnect(): void {
    this.#end(undefined);
  }

  discard(): void {
    this.#end(undefined);
  }

  closed(): Promise<void | Error> {
    return this.#closed.promise;
  }

  #end(error: Error | undefined): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.closeError = error;
    this.#giveUp.abort();
    this.#stop.removeEventListener("abort", this.#onStop);
    if (error === undefined) this.#conn?.close();
    else this.#conn?.reset();
    this.#closed.resolve(error);
  }
}
