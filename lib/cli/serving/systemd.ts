/**
 * A server under systemd: it takes the socket that systemd passes (sd_listen_fds(3)), and tells systemd
 * how it is (sd_notify(3)).
 *
 * Node has no datagram sockets of Unix, and Deno has them only with --unstable-net, so systemd-notify
 * sends the messages. Each is a process of its own: the unit needs NotifyAccess=all.
 *
 * @module
 */

import process from "node:process";
import { runChild } from "../io/child.deno.ts";
import type { ChildEnd } from "../io/child_end.ts";
import { UsageError } from "../io/flags.ts";
import type { Log } from "../io/log.ts";
import type { InheritedListenAddress } from "../options/listen_address.ts";
import type { Session } from "../session.ts";
import { isSuccessor } from "./handover.ts";

/** The first descriptor that systemd passes. */
const FIRST_FD = 3;

/** The program that sends a message. */
const NOTIFY = "systemd-notify";

/** The time that a message may take, in milliseconds. */
const NOTIFY_MS = 5000;

/** The message of a reload. */
const RELOADING = "RELOADING=1";

/** Replaces it from systemd 254 on: it adds the time that Type=notify-reload asks for. */
const RELOADING_OPTION = "--reloading";

/** The environment variables with which systemd starts a program. */
const VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"];

/**
 * Reports the state of the run to systemd, from now to its end, if it asks for that. Returns the socket that it
 * passes, if it does. Throws a {@linkcode UsageError} for what cannot be served.
 */
export function openSystemd(session: Session): InheritedListenAddress | undefined {
  const { log } = session;
  const env = readEnv(session);
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = env;
  if (socket !== undefined) {
    const notifier = new Notifier(socket, log);
    follow(session, notifier);
    const feedEvery = Number(usec) / 2000;
    if (feedEvery > 0 && isOwn(watched)) watch(session, notifier, feedEvery);
  }
  const { LISTEN_FDS: count, LISTEN_PID: pid } = env;
  const isPassed = !["", "0", undefined].includes(count) && isOwn(pid);
  if (socket === undefined && !isPassed) {
    log.note("--systemd: NOTIFY_SOCKET and LISTEN_FDS are not set; going on without systemd");
  }
  if (!isPassed) return undefined;
  if (count === "1") return { fd: FIRST_FD };
  throw new UsageError(`Option --systemd takes one socket, and systemd passes ${count}`);
}

/** Whether a variable is for this process: one that a parent was given is inherited. */
function isOwn(pid: string | undefined): boolean {
  return pid === undefined || pid === String(process.pid);
}

function readEnv({ io: { env } }: Session): Record<string, string | undefined> {
  try {
    return Object.fromEntries(VARIABLES.map((name) => [name, env[name]]));
  } catch {
    throw new UsageError(
      "Option --systemd needs Deno's permission to read the environment: " +
        `run again with --allow-env=${VARIABLES.join()}`,
    );
  }
}

/** Reports the moments of a run. */
function follow(session: Session, notifier: Notifier): void {
  const pid = isSuccessor() ? [`MAINPID=${process.pid}`] : [];
  session.onReady((url) => notifier.notify(["READY=1", ...pid, `STATUS=Listening at ${url}`]));
  session.io.onSignal("SIGHUP", () => {
    // READY=1 follows once the files have been read again.
    void notifier.notify([RELOADING], ["READY=1"]);
  });
  session.onStopping(() => {
    if (!session.isReplaced) void notifier.notify(["STOPPING=1", "STATUS=Stopping"]);
  });
  session.onEnd(() => notifier.sent);
}

/** Tells every `ms` milliseconds that the event loop runs. */
function watch(session: Session, notifier: Notifier, ms: number): void {
  const { clock } = session.io;
  let cancel = () => {};
  const wait = () => {
    cancel = clock.setTimer(ms, () => {
      void notifier.notify(["WATCHDOG=1"]);
      wait();
    });
  };
  wait();
  session.onStopping(() => {
    // The one that replaces it is the one to be watched.
    if (session.isReplaced) cancel();
  });
  session.onEnd(() => cancel());
}

/** Sends messages to systemd, one after the other. */
export class Notifier {
  readonly #socket: string;
  readonly #log: Pick<Log, "error">;
  readonly #run: typeof runChild;
  /** Those that wait to be sent. */
  readonly #waiting = new Set<string>();
  #sent: Promise<void> = Promise.resolve();
  /** Why the last one could not be sent. */
  #failure: string | undefined;

  /** `run` is what runs {@linkcode NOTIFY}. */
  constructor(socket: string, log: Pick<Log, "error">, run: typeof runChild = runChild) {
    this.#socket = socket;
    this.#log = log;
    this.#run = run;
  }

  /** Resolves when all messages have been sent, or have failed. */
  get sent(): Promise<void> {
    return this.#sent;
  }

  /**
   * Sends messages in this order, each with its assignments. Those that wait already are not sent twice.
   * Resolves as {@linkcode sent}.
   */
  notify(...messages: readonly (readonly string[])[]): Promise<void> {
    const key = messages.join();
    if (this.#waiting.has(key)) return this.#sent;
    this.#waiting.add(key);
    return this.#sent = this.#sent.then(async () => {
      this.#waiting.delete(key);
      for (const message of messages) await this.#send(message);
    });
  }

  async #send(message: readonly string[]): Promise<void> {
    const args = message[0] === RELOADING ? [await this.#reloading()] : message;
    const { failure } = await this.#try(args);
    if (failure !== undefined && failure !== this.#failure) {
      this.#log.error(
        `Cannot notify systemd: ${NOTIFY} ${failure}. ` +
          "systemd ends a unit of Type=notify that does not say that it is ready.",
      );
    }
    this.#failure = failure;
  }

  async #reloading(): Promise<string> {
    const { stdout } = await this.#try(["--version"]);
    const [, version] = /^systemd (\d+)/.exec(stdout) ?? [];
    return Number(version) >= 254 ? RELOADING_OPTION : RELOADING;
  }

  #try(args: readonly string[]): Promise<ChildEnd> {
    return this.#run(NOTIFY, args, { NOTIFY_SOCKET: this.#socket }, NOTIFY_MS);
  }
}
