// nats-server, with a folder of its own, and a relay in front of it that breaks connections.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { join } from "node:path";
import { dial } from "../../lib/dial.ts";
import { faulty } from "../../lib/faults/mod.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { relay } from "../../lib/protocols/relay.ts";
import { serve } from "../../lib/serve/serve.ts";
import { until } from "./helpers.ts";
import { isStopped } from "./kernel.ts";
import { Program } from "./peers.ts";
import { pathOf } from "./programs.ts";

/** nats-server that runs. */
export class Nats implements AsyncDisposable {
  /** What it keeps is in it. */
  readonly folder: string;
  readonly #args: readonly string[];
  #program: Program;
  /** Where it listens. */
  readonly port: number;

  private constructor(folder: string, args: readonly string[], program: Program, port: number) {
    this.folder = folder;
    this.#args = args;
    this.#program = program;
    this.port = port;
  }

  /** Starts it on a free port of 127.0.0.1. */
  static start(...args: string[]): Promise<Nats> {
    return Nats.#start(mkdtempSync(join(tmpdir(), "plainsocket-nats-")), args);
  }

  /** The same, with the text of a configuration file. */
  static configured(text: string): Promise<Nats> {
    const folder = mkdtempSync(join(tmpdir(), "plainsocket-nats-"));
    const path = join(folder, "nats.conf");
    writeFileSync(path, text);
    return Nats.#start(folder, ["--config", path]);
  }

  static async #start(folder: string, args: readonly string[]): Promise<Nats> {
    const program = run(folder, -1, args);
    const [, port] = await ready(program);
    return new Nats(folder, args, program, Number(port));
  }

  get pid(): number {
    return this.#program.pid;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    await this.#program[Symbol.asyncDispose]();
  }

  /** Has it fall silent, with its connections open. On a busy machine its threads stop a little later. */
  async freeze(): Promise<void> {
    process.kill(this.pid, "SIGSTOP");
    await until(() => isStopped(this.pid), "nats-server to stand still");
  }

  /** Has it go on, with what has arrived meanwhile. */
  thaw(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** Starts it again, on the same port and with what it had kept. */
  async again(): Promise<void> {
    this.#program = run(this.folder, this.port, this.#args);
    await ready(this.#program);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function run(folder: string, port: number, args: readonly string[]): Program {
  const place = ["--addr", "127.0.0.1", "--port", String(port), "--store_dir", folder];
  return new Program([pathOf("nats-server") ?? "nats-server", ...place, ...args]);
}

async function ready({ stderr }: Program): Promise<RegExpExecArray> {
  const found = await stderr.until(/client connections on 127\.0\.0\.1:(\d+)/);
  await stderr.until(/Server is ready/);
  return found;
}

/** A relay to a port of 127.0.0.1, whose connections go by a plan of faults. */
export class FaultRelay implements AsyncDisposable {
  readonly #target: number;
  readonly #plan: string;
  #server: ReturnType<typeof serve> | undefined;
  port = 0;

  constructor(target: number, plan: string) {
    this.#target = target;
    this.#plan = plan;
  }

  /** Opens it, on the same port as before. */
  async open(): Promise<void> {
    const transport = faulty(systemTransport, this.#plan, { seed: 1 });
    const listener = await systemTransport.listen({ host: "127.0.0.1", port: this.port });
    this.port = listener.addr.port;
    const handler = relay((signal) =>
      dial(transport, { host: "127.0.0.1", port: this.#target, signal })
    );
    this.#server = serve(listener, handler, { drainTimeout: 1, onError: () => {} });
  }

  /** Resets all that goes through it, and refuses what comes. */
  async cut(): Promise<void> {
    await this.#server?.stop({ drainTimeout: 1 });
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
  }
}
