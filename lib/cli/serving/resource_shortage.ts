/**
 * The log of a server while the system lacks a resource for further clients:
 * one line when that begins, and one when it is over.
 *
 * @module
 */

import { isExhausted } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { ERROR_CODES, type SocketErrorCode } from "../../base/error_codes.ts";
import { codeOf } from "../../base/errors.ts";
import { WrappedListener } from "../../net/conn_base.ts";
import type {
  Conn,
  ConnectOptions,
  Listener,
  ListenOptions,
  Transport,
} from "../../net/transport.ts";
import type { Log, Transcript } from "../io/log.ts";
import { openTransport, type ShownOptions, type SocketsRun } from "../options/transport.ts";
import { descriptorLimit, tryDescriptor } from "./descriptors.deno.ts";

/** How long to wait after the last failure before looking whether the shortage is over, in milliseconds. */
const QUIET_MS = 2000;

/** See the module. */
export class Shortage {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #try: () => void;
  /** Read now: when there are no descriptors left, no file can be read. */
  readonly #limit = descriptorLimit();
  /** The resource that is lacking, and when it was lacking last. */
  #met: { readonly code: SocketErrorCode; at: number } | undefined;

  /** `attempt` throws as long as the resource is lacking. */
  constructor(log: Log, clock: Clock, attempt: () => void = tryDescriptor) {
    this.#log = log;
    this.#clock = clock;
    this.#try = attempt;
  }

  /** Takes an error, whatever it is: of a socket or of the file system. */
  heed(error: unknown): void {
    const code = codeOf(error);
    if (!isExhausted(code)) return;
    if (this.#met !== undefined) {
      this.#met.at = this.#clock.now();
      return;
    }
    this.#met = { code, at: this.#clock.now() };
    this.#log.error(describe(code, this.#limit));
    this.#wait();
  }

  /** The same transport, whose failures to accept and to connect are heeded. */
  watch(transport: Transport): Transport {
    // The options decide the type of the listener, which TypeScript cannot see.
    const listen = async (options: ListenOptions): Promise<unknown> =>
      new HeededListener(await transport.listen(options), this);
    const connect = async (options: ConnectOptions) => {
      try {
        return await transport.connect(options);
      } catch (error) {
        this.heed(error);
        throw error;
      }
    };
    return {
      name: transport.name,
      resolve: (endpoint) => transport.resolve(endpoint),
      listen: listen as Transport["listen"],
      connect: connect as Transport["connect"],
      startTls: (conn, options) => transport.startTls(conn, options),
      listenDatagram: (options) => transport.listenDatagram(options),
    };
  }

  #wait(): void {
    this.#clock.setTimer(QUIET_MS, () => this.#look());
  }

  #look(): void {
    const { at, code } = this.#met!;
    if (this.#clock.now() - at < QUIET_MS || !this.#isOver(code)) return this.#wait();
    this.#met = undefined;
    this.#log.error(`${code} is over: new clients are taken again`);
  }

  #isOver(code: SocketErrorCode): boolean {
    try {
      this.#try();
      return true;
    } catch (error) {
      return codeOf(error) !== code;
    }
  }
}

/**
 * The sockets of the system for a server, as `openTransport` has them; each shortage is logged.
 */
export function openServerTransport(
  run: SocketsRun,
  transcript: Transcript,
  options?: ShownOptions,
): Transport {
  const { log, io } = run;
  return new Shortage(log, io.clock).watch(openTransport(run, transcript, options));
}

function describe(code: SocketErrorCode, limit: number | undefined): string {
  const what = `${ERROR_CODES[code].why} (${code}): new clients wait, or are turned away`;
  if (code !== "EMFILE") return `${what}. ${ERROR_CODES[code].next}`;
  const known = limit === undefined ? "" : ` is ${limit}`;
  return `${what}. Its limit (ulimit -n)${known}: raise it, or lower --max-connections.`;
}

class HeededListener extends WrappedListener {
  readonly #shortage: Shortage;

  constructor(inner: Listener, shortage: Shortage) {
    super(inner);
    this.#shortage = shortage;
  }

  protected async startAccept(): Promise<Conn> {
    try {
      return await this.inner.accept();
    } catch (error) {
      this.#shortage.heed(error);
      throw error;
    }
  }
}
