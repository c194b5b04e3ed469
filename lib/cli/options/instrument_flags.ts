/**
 * The flags that observe and break the sockets of a command.
 *
 * @module
 */

import { parseSize } from "../../base/size.ts";
import type { Redaction } from "../../recording/format.ts";
import {
  choice,
  type Flag,
  integer,
  needing,
  optional,
  path,
  toggle,
  UsageError,
  type Values,
} from "../io/flags.ts";
import type { Io } from "../io/io.ts";
import { isInFile } from "../io/secret.ts";
import type { Log } from "../io/log.ts";

/** The largest seed. */
export const MAX_SEED: number = 2 ** 32 - 1;

/** The part of a run that instruments need. */
export interface InstrumentedRun {
  readonly io: Io;
  readonly log: Log;
  /** Has `start` called when the log of the command is there. */
  onStart(start: () => void): void;
  /** Has `start` called when the server listens. */
  onListening(start: () => void): void;
  /** Has SIGHUP call `reload`. */
  onReload(reload: () => void): void;
}

/** The formats of a recording. */
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
  readonly "record-wire": Flag<boolean>;
  readonly fault: Flag<readonly string[]>;
  readonly seed: Flag<number | undefined>;
  readonly watch: Flag<boolean>;
  readonly open: Flag<boolean>;
} = {
  record: path("record every step in FILE", "FILE"),
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
    parse: parseRecordLimits,
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
  "record-wire": needing(
    "record",
    toggle("also record TLS as on the network, and its secrets (Node)"),
  ),
  fault: {
    arg: "PLAN",
    help: "break connections: 'down: reset@4096', or @FILE; repeatable",
    fallback: [],
    parse: (value, sofar) => [...sofar, value],
  },
  seed: needing(
    "fault",
    optional(
      integer("N", [0, MAX_SEED], 0, "the same faults as in the run with this seed"),
    ),
  ),
  watch: toggle("a live page of all connections; stderr has its URL"),
  open: needing("watch", toggle("open that page in the browser")),
};

/** The part of a command's help about these flags. */
export const INSTRUMENT_HELP =
  `--record writes what 'client.ts recording FILE' shows and what 'replay' plays. With '-' a
server writes it on stdout, and its URL on stderr. Passwords and cookies in header fields of HTTP
are covered, unless --redact none says otherwise. --record-wire adds what Wireshark needs to show
TLS and to decrypt it. --fault PLAN has rules with ';' between them, such
as 'conn=1: down: reset@4096; up: delay=50ms±10'; docs/faults.md has all of them. SIGHUP reads @FILE
again. --watch draws the connections in a page that only this machine can open. The page of a client
stays when the client has ended: until Ctrl-C, or until nobody has looked at it for a minute.`;

/** Options of the recording. */
export interface RecordOptions {
  /** `-` is stdout. */
  readonly file: string;
  readonly format: RecordFormat;
  readonly limits: RecordLimits;
  readonly redaction: Redaction;
  /** Whether TLS is recorded as it goes over the network, too. */
  readonly wire: boolean;
}

/** Options of the faults. */
export interface FaultOptions {
  /** The plans, and files of them as `@FILE`. */
  readonly plans: readonly string[];
  /** Whether what breaks is datagrams. */
  readonly hasDatagrams: boolean;
  /** Default: one by chance. */
  readonly seed: number | undefined;
}

/** Whether some of the plans are in files. */
export function readsPlans(plans: readonly string[]): boolean {
  return plans.some(isInFile);
}

/** How the sockets are watched. */
export interface WatchOptions {
  /** Whether the browser is opened. */
  readonly open: boolean;
  /** Whether the page stays when the command has ended. */
  readonly lingers: boolean;
  /** The redaction of what the page shows. */
  readonly redaction: Redaction;
}

/** The instruments of a command's sockets. Undefined means without. */
export interface InstrumentOptions {
  readonly record?: RecordOptions;
  readonly fault?: FaultOptions;
  readonly watch?: WatchOptions;
}

/** The kind of a command that has these flags. */
export interface Instrumented {
  /** Whether it is a server, whose stdout has nothing but its URL. Default: it is a client. */
  readonly serves?: boolean;
  /** The number of workers that it has. Default: none. */
  readonly workers?: number;
  /** Whether it sends datagrams. Default: false. */
  readonly udp?: boolean;
}

/** Makes what the flags ask for. Throws a {@linkcode UsageError} for what the command cannot have. */
export function parseInstruments(
  values: Values<typeof INSTRUMENT_FLAGS>,
  { serves = false, workers = 0, udp = false }: Instrumented = {},
): InstrumentOptions {
  const { record: file, "record-format": format, "record-limit": limits, redact } = values;
  const { fault: plans, seed, "record-wire": wire, watch, open } = values;
  if (workers > 0 && (file !== "" || watch)) {
    throw new UsageError(
      "Options --record and --watch cannot be used with --workers, since each worker has sockets of its own: " +
        "put 'server.ts relay --to HOST:PORT' with these options in front of the workers",
    );
  }
  if (file === "-" && !serves) {
    throw new UsageError("Option --record - is for servers: stdout gets what comes, name a FILE");
  }
  if (/\.pcapng$/i.test(file) && format !== "pcapng") {
    throw new UsageError(
      `Option --record ${file} needs --record-format pcapng; without it name an x.jsonl`,
    );
  }
  return {
    ...file !== "" && { record: { file, format, limits, redaction: redact, wire } },
    ...plans.length > 0 && { fault: { plans, hasDatagrams: udp, seed } },
    ...watch && { watch: { open, lingers: !serves, redaction: redact } },
  };
}

function parseRecordLimits(value: string): RecordLimits {
  const [connection, total = 0, more] = value.split(",").map((part) => parseSize(part.trim()));
  if (connection === undefined || total === undefined || more !== undefined) {
    throw new UsageError(`takes BYTES, or BYTES,BYTES, not '${value}'; as in 64K or 1M,100M`);
  }
  return { connection, total };
}
