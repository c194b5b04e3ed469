/**
 * Flags of a server about its workers, which use the machine's cores.
 *
 * @module
 */

import type { WorkerKind } from "../../workers/protocol.ts";
import { choice, type Flag, integer, needing, UsageError, type Values } from "../io/flags.ts";
import { isPipe } from "../io/files.ts";
import { isInFile } from "../io/secret.ts";
import type { AccessOptions } from "./access_flags.ts";

/** The flags of how a server uses the machine's cores. */
export const WORKER_FLAGS: {
  readonly workers: Flag<number>;
  readonly "worker-kind": Flag<WorkerKind>;
} = {
  workers: integer("N", [0, 1024], 0, "serve in N workers; 0 is one loop, without any (default 0)"),
  "worker-kind": needing(
    "workers",
    choice(["processes", "threads"], "processes", "the kind of the workers (default processes)"),
  ),
};

/** The part of a server's help about these flags. */
export const WORKERS_HELP =
  `With --workers, that many serve at the one address, and a worker that crashes is replaced. On Deno,
processes need --allow-net, --allow-run, --allow-env and --allow-read in full, and get only the
permissions that are given in full, without a --deny-… of the same kind; threads need --unstable-net
and --allow-read. On Node, threads need 22.12 or later. --unix goes with processes on Node only.
--max-connections, --max-per-address and the numbers of --fault conn=N are for each worker.`;

/** Options of the workers of a server. */
export interface WorkerOptions {
  readonly count: number;
  readonly kind: WorkerKind;
}

/**
 * Makes what the flags say; undefined if there are to be no workers. Each worker reads the files of `access`,
 * of the plans of faults and of the command's `items`. Throws a {@linkcode UsageError} if one of these is a
 * pipe, or if threads could not read again what is in files, or what the command `rereads`.
 */
export function parseWorkers(
  { workers: count, "worker-kind": kind, fault: plans }:
    & Values<typeof WORKER_FLAGS>
    & { readonly fault: readonly string[] },
  access: AccessOptions | undefined,
  { rereads = false, items = [] }: {
    readonly rereads?: boolean;
    readonly items?: readonly string[];
  } = {},
): WorkerOptions | undefined {
  if (count === 0) return undefined;
  const values = [...access?.allow ?? [], ...access?.deny ?? [], ...plans, ...items];
  const files = values.filter(isInFile).map((value) => value.slice(1));
  const pipe = files.find(isPipe);
  if (pipe !== undefined) {
    throw new UsageError(
      `With --workers, each of them reads '${pipe}', and a pipe is read once only`,
    );
  }
  if (kind === "threads" && (rereads || files.length > 0)) {
    throw new UsageError("Threads get no SIGHUP: @FILE goes with --worker-kind processes");
  }
  return { count, kind };
}
