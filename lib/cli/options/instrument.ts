/**
 * The instruments of a command's sockets: the recording, the live page and the faults.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { counted } from "../../base/counted.ts";
import type { faulty, FaultyTransport } from "../../faults/faulty.ts";
import type { parseFaultPlan } from "../../faults/parse.ts";
import type { Fault, FaultPlan } from "../../faults/plan.ts";
import type { Transport } from "../../net/transport.ts";
import type { EventSink } from "../../observe/events.ts";
import type { observeBorrowed } from "../../observe/observe.ts";
import type { Redaction } from "../../recording/format.ts";
import { ofOption, UsageError } from "../io/flags.ts";
import type { Log } from "../io/log.ts";
import { isSameFile, readTextFile } from "../io/files.ts";
import { checkFilesReadableAgain, isInFile } from "../io/secret.ts";
import {
  type FaultOptions,
  type InstrumentedRun,
  type InstrumentOptions,
  MAX_SEED,
  readsPlans,
} from "./instrument_flags.ts";
import type { OpenRecording } from "./recording_output.ts";
import type { OpenWatch } from "./watch_output.ts";

/** The modules of faults, loaded when they are used. */
interface FaultModules {
  readonly faulty: typeof faulty;
  readonly parseFaultPlan: typeof parseFaultPlan;
}

async function loadFaults(): Promise<FaultModules> {
  const [{ faulty }, { parseFaultPlan }] = await Promise.all([
    import("../../faults/faulty.ts"),
    import("../../faults/parse.ts"),
  ]);
  return { faulty, parseFaultPlan };
}

/**
 * Loads the recorder of TLS as it goes over the network. Rejects with a {@linkcode UsageError} if
 * that is not possible.
 */
async function loadWire(redaction: Redaction): Promise<typeof observeBorrowed> {
  const { observeWire, whyNoWire } = await import("../../observe/tls_wire.ts");
  const why = whyNoWire();
  if (why !== undefined) {
    throw new UsageError(
      `Option --record-wire needs Node (ENOTSUP): ${why}. Run 'npx plainsocket' with these arguments`,
    );
  }
  if (redaction === "none") return observeWire;
  throw new UsageError(
    "Option --record-wire writes the secrets of TLS into the file, and its readers can read everything: " +
      "add --redact none if you want that",
  );
}

/** The faults of one run. */
class RunFaults {
  readonly #modules: FaultModules;
  readonly #plans: readonly string[];
  readonly #hasDatagrams: boolean;
  readonly #transports: FaultyTransport[] = [];
  readonly #seed: number;
  #plan: FaultPlan;

  /** Throws a {@linkcode UsageError} for a plan that is not right. */
  constructor(modules: FaultModules, { plans, hasDatagrams }: FaultOptions, seed: number) {
    this.#modules = modules;
    this.#plans = plans;
    this.#hasDatagrams = hasDatagrams;
    this.#seed = seed;
    this.#plan = this.#read();
  }

  wrap(transport: Transport, clock: Clock): Transport {
    const wrapped = this.#modules.faulty(transport, this.#plan, { seed: this.#seed, clock });
    this.#transports.push(wrapped);
    return wrapped;
  }

  /** Reads the files again, for the connections to come. */
  reload(log: Log): void {
    try {
      checkFilesReadableAgain("--fault", this.#plans);
      this.#plan = this.#read();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return log.error(`${error.message}. The faults stay as they were.`);
    }
    for (const transport of this.#transports) transport.setPlan(this.#plan);
    const rules = counted(this.#plan.length, "rule");
    log.note(`read the fault plan again: ${rules} for the connections to come`);
  }

  #read(): FaultPlan {
    let rules: FaultPlan = [];
    for (const plan of this.#plans) rules = [...rules, ...this.#readOne(plan, rules)];
    return rules;
  }

  #readOne(plan: string, before: FaultPlan): FaultPlan {
    if (isInFile(plan)) {
      const path = plan.slice(1);
      return this.#parse(ofOption("--fault", () => readTextFile(path)), `${path}: `, before);
    }
    const rules = this.#parse(plan, "Option --fault: ", before);
    // A file may be empty, and get its rules later.
    if (rules.length > 0) return rules;
    throw new UsageError("Option --fault has no rule in it; write one, as in 'down: reset@4096'");
  }

  #parse(plan: string, where: string, before: FaultPlan): FaultPlan {
    try {
      const rules = this.#modules.parseFaultPlan(plan, before);
      const { name } = rules.flatMap(({ faults }) => faults).find(isForDatagrams) ?? {};
      if (name === undefined || this.#hasDatagrams) return rules;
      throw new Error(`'${name}' is for datagrams, and this command sends none without --udp`);
    } catch (error) {
      throw new UsageError(`${where}${(error as Error).message.replace(/\.$/, "")}`);
    }
  }
}

/** Whether a fault has no effect on the bytes of a connection. */
function isForDatagrams({ name }: Fault): boolean {
  return name === "loss" || name === "dup" || name === "reorder";
}

/** Throws a {@linkcode UsageError} for a recording that would write over what another argument names. */
function refuseNamedTwice(file: string, args: readonly string[]): void {
  // As in 'FILE', '-o FILE', '--fault @FILE' and '--tls-key=FILE'.
  const named = args.filter((arg) => isSameFile(arg.replace(/^(--[a-z-]+=)?@?/, ""), file));
  if (named.length < 2) return;
  throw new UsageError(
    `Option --record names '${file}', which another argument names, too: name another file`,
  );
}

/** The arguments of a program, its command included. */
export interface TypedArguments {
  readonly all: readonly string[];
  /** The same without passwords. */
  readonly shown: readonly string[];
}

/** The recording, the live page and the faults of one run. */
export class Instruments {
  #faults: RunFaults | undefined;
  #faultOptions: (FaultOptions & { readonly seed: number }) | undefined;
  #recording: OpenRecording | undefined;
  #observeWire: typeof observeBorrowed | undefined;
  #watch: OpenWatch | undefined;

  /** Whether stdout is where the recording goes. */
  get usesStdout(): boolean {
    return this.#recording?.isStdout === true;
  }

  /**
   * The function that observes a transport below TLS as well. Undefined without `--record-wire`.
   */
  get observeWire(): typeof observeBorrowed | undefined {
    return this.#observeWire;
  }

  /** The faults of the connections, with the seed of this run. Undefined without faults. */
  get faults(): (FaultOptions & { readonly seed: number }) | undefined {
    return this.#faultOptions;
  }

  /** The option of an instrument that works in one process only. Undefined: no such option is given. */
  get holder(): string | undefined {
    return this.#recording ? "--record" : this.#watch ? "--watch" : undefined;
  }

  /** The sinks of the events. */
  get sinks(): EventSink[] {
    return [this.#recording, this.#watch].flatMap((taker) => taker?.sink ?? []);
  }

  /**
   * Opens what the options ask for, which is loaded only then. Rejects with a {@linkcode UsageError} for
   * a plan that is not right, and with a CliError for a file that cannot be written.
   */
  async open(
    { record, fault, watch }: InstrumentOptions,
    { all, shown }: TypedArguments,
    run: InstrumentedRun,
  ): Promise<void> {
    if (fault !== undefined) {
      const { seed = Math.floor(Math.random() * (MAX_SEED + 1)) } = fault;
      await this.openFaults({ ...fault, seed }, run);
      run.onStart(() => run.log.note(`breaking connections with --seed ${seed}`));
    }
    if (record !== undefined) {
      refuseNamedTwice(record.file, all);
      if (record.wire) this.#observeWire = await loadWire(record.redaction);
      const { openRecording } = await import("./recording_output.ts");
      const args = record.redaction === "none" ? all : shown;
      this.#recording = openRecording(record, args, this.#faultOptions?.seed, run);
    }
    if (watch !== undefined) {
      const { openWatch } = await import("./watch_output.ts");
      this.#watch = await openWatch(watch, shown, run);
    }
  }

  /** Reads the plans, and has SIGHUP read those in files again. Rejects with a {@linkcode UsageError}. */
  async openFaults(
    fault: FaultOptions & { readonly seed: number },
    run: Pick<InstrumentedRun, "log" | "onReload">,
  ): Promise<void> {
    const faults = this.#faults = new RunFaults(await loadFaults(), fault, fault.seed);
    this.#faultOptions = fault;
    if (readsPlans(fault.plans)) run.onReload(() => faults.reload(run.log));
  }

  /** The same transport, with the faults that are asked for. */
  withFaults(transport: Transport, clock: Clock): Transport {
    return this.#faults?.wrap(transport, clock) ?? transport;
  }

  /** Ends the recording. Resolves to whether all of it was written. */
  async close(): Promise<boolean> {
    return await this.#recording?.close() ?? true;
  }

  /** Waits for those who look at the page of a command that has ended. */
  async linger(): Promise<void> {
    await this.#watch?.linger();
  }

  /** Ends the page. */
  async closePage(): Promise<void> {
    await this.#watch?.close();
  }
}
