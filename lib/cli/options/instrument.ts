/**
 * What watches and breaks the sockets of a command: its flags, and the recording and the faults that
 * they ask for.
 *
 * @module
 */

import { closeSync, openSync, writeSync } from "node:fs";
import { ERROR_CODES } from "../../base/error_codes.ts";
import { codeOf } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import { parseSize } from "../../base/size.ts";
import { faulty, type FaultyTransport } from "../../faults/faulty.ts";
import { parseFaultPlan } from "../../faults/parse.ts";
import type { FaultPlan } from "../../faults/plan.ts";
import type { Transport } from "../../net/transport.ts";
import type { EventSink } from "../../observe/events.ts";
import type { Redaction } from "../../recording/format.ts";
import { parseEvent, parseHead } from "../../recording/parse.ts";
import { PcapngEncoder } from "../../recording/pcapng/pcapng.ts";
import { recordingSink } from "../../recording/record.ts";
import { CliError, EXIT } from "../io/exit.ts";
import {
  choice,
  type Flag,
  integer,
  needing,
  optional,
  text,
  UsageError,
  type Values,
} from "../io/flags.ts";
import { type Io, write } from "../io/io.ts";
import type { Log } from "../io/log.ts";
import { readTextFile } from "../io/text_file.ts";
import { whyUnreadable } from "../io/unreadable.ts";

/** The most bytes of a recording that wait for the reader of stdout; what comes on top is dropped. */
const MAX_WAITING = 16 * 1024 * 1024;

/** The largest seed. */
const MAX_SEED = 2 ** 32 - 1;

/** What a run has that instruments need. */
export interface InstrumentedRun {
  readonly io: Io;
  readonly log: Log;
  /** Whether it is a server. */
  readonly serves: boolean;
  /** Has `start` called when the log of the command is there. */
  onStart(start: () => void): void;
  /** Has SIGHUP call `reload`. */
  onReload(reload: () => void): void;
}

/** How a recording is written. */
export type RecordFormat = "jsonl" | "pcapng";

/** The most bytes of data that are kept: of one connection, and in all; 0 is no limit. */
export interface RecordLimits {
  readonly connection: number;
  readonly total: number;
}

/** The flags. */
export const INSTRUMENT_FLAGS: {
  readonly record: Flag<string>;
  readonly "record-format": Flag<RecordFormat>;
  readonly "record-limit": Flag<RecordLimits>;
  readonly redact: Flag<Redaction>;
  readonly fault: Flag<readonly string[]>;
  readonly seed: Flag<number | undefined>;
} = {
  record: text("FILE", "", "record every step in FILE"),
  "record-format": needing(
    "record",
    {
      ...choice(["jsonl", "pcapng"], "jsonl", "jsonl, or pcapng for Wireshark (default jsonl)"),
      arg: "FORMAT",
    },
  ),
  "record-limit": needing("record", {
    arg: "BYTES",
    help: "data to keep of each connection; 1M,100M: and in all",
    fallback: { connection: 0, total: 0 },
    parse: parseLimits,
  }),
  redact: needing(
    "record",
    {
      ...choice(
        ["fields", "payloads", "none"],
        "fields",
        "fields, payloads or none are left out (default fields)",
      ),
      arg: "WHAT",
    },
  ),
  fault: {
    arg: "PLAN",
    help: "break connections: 'down: reset@4096', or @FILE; repeatable",
    fallback: [],
    parse: (value, sofar) => [...sofar, checkedPlan(value)],
  },
  seed: needing(
    "fault",
    optional(
      integer("N", [0, MAX_SEED], 0, "the same faults as in the run with this seed"),
    ),
  ),
};

/** What the help of a command says of these flags. */
export const INSTRUMENT_HELP =
  `--record writes what 'client.ts recording FILE' shows and what 'replay' plays. With '-' a
server writes it on stdout, and its URL on stderr. Passwords and cookies in header fields of HTTP
are covered, unless --redact none says otherwise. --fault PLAN has rules with ';' between them, such
as 'conn=1: down: reset@4096; up: delay=50ms±10'; docs/faults.md has all of them. SIGHUP reads @FILE
again.`;

/** What these flags say. */
export type InstrumentFlags = Values<typeof INSTRUMENT_FLAGS>;

function parseLimits(value: string): RecordLimits {
  const [connection, total = 0, more] = value.split(",").map((part) => parseSize(part.trim()));
  if (connection === undefined || total === undefined || more !== undefined) {
    throw new UsageError(`takes BYTES, or BYTES,BYTES, not '${value}'; as in 64K or 1M,100M`);
  }
  return { connection, total };
}

/** The plan as it was given, which is right unless it is a file. Throws a {@linkcode UsageError}. */
function checkedPlan(value: string): string {
  if (!value.startsWith("@")) parsePlan(value, "");
  return value;
}

function parsePlan(plan: string, where: string): FaultPlan {
  try {
    return parseFaultPlan(plan);
  } catch (error) {
    throw new UsageError(`${where}${(error as Error).message.replace(/\.$/, "")}`);
  }
}

/** The recording and the faults of one run. */
export class Instruments {
  #sink: EventSink | undefined;
  #faults: { readonly plan: FaultPlan; readonly seed: number } | undefined;
  readonly #transports: FaultyTransport[] = [];
  #recording: RecordingOutput | undefined;

  /** Whether stdout is where the recording goes. */
  get usesStdout(): boolean {
    return this.#recording?.isStdout === true;
  }

  /** Whether there is a recording, or are faults. */
  get isActive(): boolean {
    return this.#sink !== undefined || this.#faults !== undefined;
  }

  /** What takes the events; undefined if nothing does. */
  get sink(): EventSink | undefined {
    return this.#sink;
  }

  /**
   * Opens what the flags ask for. Throws a {@linkcode UsageError} for a plan that is not right, and a
   * CliError for a file that cannot be written.
   */
  open(flags: InstrumentFlags, args: readonly string[], run: InstrumentedRun): void {
    if (flags.fault.length > 0) this.#openFaults(flags, run);
    if (flags.record === "") return;
    if (flags.record === "-" && !run.serves) {
      throw new UsageError("Option --record - is for servers: stdout gets what comes, name a FILE");
    }
    const output = new RecordingOutput(flags.record, flags["record-format"], run);
    const { connection, total } = flags["record-limit"];
    this.#recording = output;
    this.#sink = recordingSink((lines) => output.write(lines), {
      redaction: flags.redact,
      connectionLimit: connection,
      totalLimit: total,
      arguments: flags.redact === "none" ? args : withoutSecrets(args),
      seed: this.#faults?.seed,
    });
  }

  /** The same transport, with the faults that the flags ask for. */
  withFaults(transport: Transport, clock: Clock): Transport {
    if (this.#faults === undefined) return transport;
    const { plan, seed } = this.#faults;
    const wrapped = faulty(transport, plan, { seed, clock });
    this.#transports.push(wrapped);
    return wrapped;
  }

  /** Ends the recording. */
  close(): void {
    this.#recording?.close();
  }

  #openFaults(
    { fault, seed = Math.floor(Math.random() * 2 ** 32) }: InstrumentFlags,
    run: InstrumentedRun,
  ): void {
    this.#faults = { plan: readPlan(fault), seed };
    run.onStart(() => run.log.note(`breaking connections with --seed ${seed}`));
    if (!fault.some((plan) => plan.startsWith("@"))) return;
    run.onReload(() => this.#reload(fault, run));
  }

  #reload(fault: readonly string[], { log }: InstrumentedRun): void {
    try {
      const plan = readPlan(fault);
      for (const transport of this.#transports) transport.setPlan(plan);
      log.note(`read the fault plan again: ${plan.length} rules for the connections to come`);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      log.error(`${error.message}. The faults stay as they were.`);
    }
  }
}

function readPlan(plans: readonly string[]): FaultPlan {
  return plans.flatMap((plan) => {
    if (!plan.startsWith("@")) return parsePlan(plan, "");
    const path = plan.slice(1);
    try {
      return parsePlan(readTextFile(path), `${path}: `);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(
        `Cannot read '${path}', which --fault names: ${whyUnreadable(path, error)}`,
      );
    }
  });
}

/** Options whose values are not for a recording. */
const SECRET = /^(--(?:auth|header|user|data)|-[Hud])(=.*)?$/s;

/** The arguments without passwords. */
function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const [, name, value] = SECRET.exec(arg) ?? [];
    if (value !== undefined) return `${name}=***`;
    if (i > 0 && SECRET.test(args[i - 1]) && !args[i - 1].includes("=")) return "***";
    return arg.replace(/(:\/\/)[^/@]*@/, "$1***@");
  });
}

/** The file or stream that a recording goes to. Where it cannot be written, it ends, and the run goes on. */
class RecordingOutput {
  readonly isStdout: boolean;
  readonly #path: string;
  readonly #run: InstrumentedRun;
  readonly #convert: ((lines: string) => Uint8Array) | undefined;
  #encoder: PcapngEncoder | undefined;
  #fd: number | undefined;
  #dropped = 0;
  #ended = false;

  constructor(path: string, format: RecordFormat, run: InstrumentedRun) {
    this.isStdout = path === "-";
    this.#path = path;
    this.#run = run;
    if (format === "pcapng") this.#convert = (lines) => this.#pcapng(lines);
    if (this.isStdout) return;
    try {
      // It may have passwords in it.
      this.#fd = openSync(path, "w", 0o600);
    } catch (error) {
      const why = whyUnwritable(path, error);
      throw new CliError(EXIT.writeFailed, `Cannot write the recording '${path}': ${why}`);
    }
  }

  /** Writes whole lines, at once: a process that is killed loses none of them. */
  write(lines: string): void {
    if (this.#ended || lines === "") return;
    this.#put(this.#convert === undefined ? lines : this.#convert(lines));
  }

  close(): void {
    if (this.#ended) return;
    if (this.#encoder !== undefined) this.#put(this.#encoder.end(this.#dropped));
    this.#ended = true;
    if (this.#fd !== undefined) closeSync(this.#fd);
  }

  #put(data: string | Uint8Array): void {
    if (this.#fd === undefined) {
      const { stdout } = this.#run.io;
      if (stdout.writableLength > MAX_WAITING) this.#dropped++;
      else write(stdout, data);
      return;
    }
    try {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      this.#ended = true;
      closeSync(this.#fd);
      const why = whyUnwritable(this.#path, error);
      this.#run.log.error(`Cannot write the recording '${this.#path}': ${why}. It ends here.`);
    }
  }

  #pcapng(lines: string): Uint8Array {
    const texts = lines.trimEnd().split("\n");
    const blocks: Uint8Array[] = [];
    for (const text of texts) {
      if (this.#encoder === undefined) {
        this.#encoder = new PcapngEncoder(parseHead(text));
        blocks.push(this.#encoder.start());
      } else blocks.push(this.#encoder.add(parseEvent(text, 0)));
    }
    return concat(blocks);
  }
}

function concat(blocks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

/** Why a file cannot be written, for people. */
function whyUnwritable(path: string, error: unknown): string {
  const { name } = error as Error;
  if (name === "NotCapable") {
    return `Deno's permissions forbid it; run again with --allow-write=${path}`;
  }
  const code = codeOf(error);
  return Object.hasOwn(ERROR_CODES, code) && code !== "EUNKNOWN"
    ? `${ERROR_CODES[code].why} (${code})`
    : whyUnreadable(path, error);
}
