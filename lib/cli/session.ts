/**
 * One run of a program.
 *
 * @module
 */

import { deferred } from "../base/wait.ts";
import type { Transport } from "../net/transport.ts";
import type { Attempt } from "./options/last_attempt.ts";
import { Instruments } from "./options/instrument.ts";
import type { Monitor } from "./options/metrics.ts";
import { flushed, type Io, print } from "./io/io.ts";
import type { liveDiagram } from "../recording/live_diagram.ts";
import { Log, type LogOptions } from "./io/log.ts";
import type { ProxyOptions } from "./options/proxy_protocol.ts";
import { onSignals, type Signals } from "./io/signals.ts";

/** The run of a command: its surroundings, its log and its end. */
export class Session {
  readonly io: Io;
  /** The word before `server` and `client` in the commands of the package. Undefined in scripts. */
  readonly prefix: string | undefined;
  /** Called when stdout cannot be written. */
  onStdoutError: (error: Error & { code?: string }) => void = () => {};
  /** Called when all callbacks of {@linkcode onReady} have settled. */
  onAllNotified: () => void = () => {};
  /** The instruments of the run's sockets. */
  readonly instruments: Instruments = new Instruments();
  /** The metrics of the run. Undefined without `--metrics`. */
  monitor: Monitor | undefined;
  /** How long a server goes on accepting after the first signal, in milliseconds. */
  drainDelay = 0;
  /** The last attempt of a client. */
  readonly attempt: Attempt = {};
  #proxies: ProxyOptions | undefined;
  #sockets: Transport | undefined;
  readonly #starts: (() => void)[] = [];
  readonly #listens: (() => void)[] = [];
  readonly #readies: ((url: string) => void | Promise<void>)[] = [];
  readonly #stopping: (() => void)[] = [];
  readonly #ended = deferred<number>();
  readonly #reloads: (() => void)[] = [];
  readonly #stops: (() => void | Promise<void>)[] = [];
  #isOver = false;
  #signals: Signals | undefined;
  #isReplaced = false;
  #starting = false;
  #hasEnded = false;
  #log: Log;

  constructor(io: Io, prefix?: string) {
    this.io = io;
    this.prefix = prefix;
    this.#log = new Log(io, { verbose: false, quiet: false, log: undefined });
    io.stdout.on("error", (error) => this.onStdoutError(error));
  }

  /** The log for errors. From {@linkcode openLog} on it is the one of the command. */
  get log(): Log {
    return this.#log;
  }

  /**
   * Makes the log of a command; `diagram` shows the connections, if they are not shown in lines.
   */
  openLog(options: LogOptions, diagram?: typeof liveDiagram): Log {
    this.#log = new Log(this.io, options, diagram);
    for (const start of this.#starts.splice(0)) start();
    return this.#log;
  }

  /** Sockets whose clients are those of the proxies. Undefined without `--proxy-protocol`. */
  get sockets(): Transport | undefined {
    return this.#sockets;
  }

  /** The proxies in front of a server. Undefined without `--proxy-protocol`. */
  get proxies(): ProxyOptions | undefined {
    return this.#proxies;
  }

  /** Has the server be behind these proxies. */
  async putBehind(proxies: ProxyOptions): Promise<void> {
    const { openSockets } = await import("./options/proxied_sockets.ts");
    this.#proxies = proxies;
    this.#sockets = openSockets(proxies, this.log);
  }

  /** Has `start` called when the log of the command is there. */
  onStart(start: () => void): void {
    this.#starts.push(start);
  }

  /** Has `start` called when the server listens. */
  onListening(start: () => void): void {
    this.#listens.push(start);
  }

  /**
   * Has `ready` called with the URL when the server serves there, once for each port that it has, and
   * after those that were here before have settled. It must not throw.
   */
  onReady(ready: (url: string) => void | Promise<void>): void {
    this.#readies.push(ready);
  }

  /** Prints the URL at which the server serves from now on. */
  async announce(url: string): Promise<void> {
    await this.print(`${url}\n`);
    // The server does not wait for these.
    void this.#notifyReady(url);
  }

  async #notifyReady(url: string): Promise<void> {
    for (const ready of this.#readies) await ready(url);
    this.onAllNotified();
  }

  /** Another process serves in place of this one, which stops now as at a SIGTERM. */
  replace(): void {
    this.#isReplaced = true;
    this.#signals?.stop();
  }

  /** Whether another process serves in place of this one. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** Has `stopping` called when the first signal stops the server, before it drains. */
  onStopping(stopping: () => void): void {
    this.#stopping.push(stopping);
  }

  /**
   * Aborts the `signal` that it returns at the first SIGINT or SIGTERM, after {@linkcode drainDelay}, and
   * ends the run at the second.
   */
  onSignals(): Signals {
    return this.#signals = onSignals(this.io, {
      end: (code) => this.end(code),
      canFinish: () => !this.#starting,
      stop: (abort) => this.#stop(abort),
    });
  }

  #stop(abort: () => void): void {
    for (const stopping of this.#stopping.splice(0)) stopping();
    // A process that was replaced has nobody to wait for.
    if (this.drainDelay === 0 || this.#isReplaced) return abort();
    this.log.note(`stopping in ${this.drainDelay / 1000} s: not ready any more`);
    const cancel = this.io.clock.setTimer(this.drainDelay, abort);
    this.onEnd(() => {
      cancel();
      abort();
    });
  }

  /**
   * Settles as `work` does, which is a part of the start. Meanwhile the first signal ends the run at
   * once: there is nothing to finish, and looking up a name to listen at can take long.
   */
  async whileStarting<T>(work: Promise<T>): Promise<T> {
    this.#starting = true;
    try {
      return await work;
    } finally {
      this.#starting = false;
    }
  }

  /** Waits for a listener as {@linkcode whileStarting} does. One that comes after the end is closed. */
  async untilListening<T extends { close(): void }>(listening: Promise<T>): Promise<T> {
    const listener = await this.whileStarting(listening);
    if (this.#hasEnded) listener.close();
    else for (const start of this.#listens.splice(0)) start();
    return listener;
  }

  /**
   * Lets the run go on when SIGHUP comes, which by default ends a process: the terminal is gone, or
   * somebody asks for files to be read again. The functions of {@linkcode onReload} do that.
   */
  outliveHangups(): void {
    this.io.onSignal("SIGHUP", () => {
      for (const reload of this.#reloads) reload();
      if (this.#reloads.length === 0) this.log.note("SIGHUP: nothing to read again; going on");
    });
  }

  /** Has SIGHUP call `reload`. */
  onReload(reload: () => void): void {
    this.#reloads.push(reload);
  }

  /** Has `stop` called when the run is over, however it ends. Its promise settles in bounded time. */
  onEnd(stop: () => void | Promise<void>): void {
    if (this.#isOver) void stop();
    else this.#stops.push(stop);
  }

  /** Ends what {@linkcode onEnd} has taken. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#stops.splice(0).map((stop) => stop()));
  }

  /** Prints on stdout after what the log has so far, and waits until it is out. */
  async print(data: string | Uint8Array): Promise<void> {
    await flushed(this.io.stderr);
    // stdout may have a recording.
    await print(this.instruments.usesStdout ? { stdout: this.io.stderr } : this.io, data);
  }

  /** Prints a help text, as wide as the terminal if stdout is one. */
  async printHelp(help: string): Promise<void> {
    const { fitHelp } = await import("./io/help.ts");
    await this.print(fitHelp(help, this.io.stdout.columns || Infinity));
  }

  /** Ends the run at once, whatever is under way. */
  end(exitCode: number): void {
    this.#hasEnded = true;
    this.#ended.resolve(exitCode);
  }

  /** Resolves to the exit code once {@linkcode end} was called. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }
}
