/**
 * `--workers N`: the parent's side of a server whose conversations are held by processes or threads.
 *
 * @module
 */

import process from "node:process";
import { counted } from "../../base/plural.ts";
import { SocketError } from "../../base/errors.ts";
import {
  startWorkers,
  type WorkerEvent,
  type WorkerKind,
  type Workers,
} from "../../workers/workers.ts";
import { readsFiles } from "../options/access.ts";
import { EXIT } from "../io/exit.ts";
import { choice, type Flag, integer, needing, UsageError, type Values } from "../io/flags.ts";
import type { LogOptions } from "../io/log.ts";
import { planListening, type ServingFlags } from "./serving.ts";
import type { Session } from "../session.ts";
import type { Signals } from "../io/signals.ts";
import type { ConversationFlags, ConversationName } from "./conversations.ts";
import { describeSummary, tellStop } from "./tell.ts";
import { WORKER_MODULE, type WorkerTask } from "./worker.ts";

/** The flags of how a server uses the machine's cores. */
export const WORKER_FLAGS: {
  readonly workers: Flag<number>;
  readonly "worker-kind": Flag<WorkerKind>;
} = {
  workers: integer("N", [0, 1024], 0, "serve in N workers; 0 is one loop, without any (default 0)"),
  "worker-kind": needing(
    "workers",
    choice(["processes", "threads"], "processes", "what they are (default processes)"),
  ),
};

/** What the help of a server says of these flags. */
export const WORKERS_HELP =
  `With --workers, that many serve at the one address, and a worker that crashes is replaced. On Deno,
processes need --allow-net, --allow-run, --allow-env and --allow-read in full, and get only the
permissions that are given in full, without a --deny-… of the same kind; threads need --unstable-net
and --allow-read. On Node, threads need 22.12 or later. --unix goes with processes on Node only.
--max-connections and --max-per-address are for each worker.`;

/** What these flags say. */
export type WorkerFlags = Values<typeof WORKER_FLAGS>;

/**
 * Starts the workers, prints the URL when all of them listen, and waits until a signal has stopped
 * them; resolves to the exit code. `name` is the command that calls.
 */
export async function serveInWorkers<Name extends ConversationName>(
  name: Name,
  flags: ServingFlags & WorkerFlags & LogOptions & ConversationFlags<Name>,
  defaultPort: number,
  session: Session,
  signals: Signals,
): Promise<number> {
  const { log, io } = session;
  if (flags["worker-kind"] === "threads" && readsFiles(flags)) {
    throw new UsageError("Threads get no SIGHUP: @FILE goes with --worker-kind processes");
  }
  const { options, access, announce } = await planListening(flags, defaultPort, session);
  const task: WorkerTask = { name, flags };
  const told = readsFiles(flags) ? passOn(session) : undefined;
  let workers: Workers;
  try {
    workers = await startWorkers(WORKER_MODULE, {
      workers: flags.workers,
      kind: flags["worker-kind"],
      listen: options,
      data: task,
      drainTimeout: flags.grace,
      signal: signals.signal,
      clock: io.clock,
      onEvent: (event) => {
        told?.(event);
        log.note(describe(event));
      },
    });
  } catch (error) {
    if (error instanceof SocketError && signals.signal.aborted) return signals.exitCode();
    throw error;
  }
  tellStop("conversations", flags.grace, log, signals);
  await announce(workers.addr);
  const summary = await workers.finished;
  const { refused, reset, restarts, lost } = summary;
  log.note(
    describeSummary(summary, access && refused) +
      `; ${counted(flags.workers, "worker")}, ${counted(restarts, "restart")}` +
      (lost === 0 ? "" : `, ${lost} lost while they stopped`),
  );
  return reset === 0 && lost === 0 ? EXIT.ok : signals.exitCode();
}

/**
 * Passes SIGHUP on, which the processes take as this one does: they read the files again. One that
 * still starts is told once it is ready. Returns what hears of the workers' events.
 */
function passOn(session: Session): (event: WorkerEvent) => void {
  const ready = new Set<number>();
  let came = false;
  const tell = (pid: number) => {
    try {
      process.kill(pid, "SIGHUP");
    } catch {
      // It has ended just now; the one that replaces it reads the files anyway.
    }
  };
  session.onReload(() => {
    came = true;
    ready.forEach(tell);
  });
  return ({ type, pid }) => {
    if (pid === undefined) return;
    if (type === "crash") return void ready.delete(pid);
    ready.add(pid);
    // It may have read them before they changed.
    if (came) tell(pid);
  };
}

function describe(event: WorkerEvent): string {
  const who = `worker ${event.id}${event.pid === undefined ? "" : ` (pid ${event.pid})`}`;
  if (event.type === "ready") return `${who} is ready`;
  return `${who} ${event.how}; a new one starts in ${event.restartIn / 1000} s`;
}
