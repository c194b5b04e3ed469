/**
 * SIGUSR2: a server starts the process that replaces it, with the same command line, and drains once
 * that one serves. Both listen meanwhile: on Node at one socket, which the new process inherits; on Deno
 * at one port.
 *
 * @module
 */

import type { ChildProcess } from "node:child_process";
import process from "node:process";
import type { Addr } from "../../base/addr.ts";
import { nodeChildProcess } from "../../base/builtins.deno.ts";
import type {
  InetListenAddress,
  InheritedListenAddress,
  ListenAddress,
  OpenListenAddress,
} from "../options/listen_address.ts";
import type { Session } from "../session.ts";
import {
  HANDS_OVER,
  missingToShare,
  ownCommand,
  readVariable,
  whatIsLost,
} from "./successor.deno.ts";

/** The environment of a successor: the process before it, and the sockets by name. */
const VARIABLE = "PLAINSOCKET_PREDECESSOR";

/** The descriptors of a successor begin after stdin, stdout, stderr and the channel. */
const FIRST_FD = 4;

/** The time in which a successor must serve, in milliseconds. */
const START_MS = 60_000;

/** The message of a successor when it serves. */
const READY = "ready";

/** The address to listen at. Without a port, a free one is taken. */
export type WantedListenAddress = Exclude<ListenAddress, InetListenAddress> | OpenListenAddress;

/** A socket that listens. */
export interface HandedSocket {
  readonly addr: Addr;
  /** Its descriptor; undefined on Deno. */
  readonly fd?: number | undefined;
  /** Whether others may listen at its port, too. Default: if {@linkcode Handover.addressFor} said so. */
  readonly isShared?: boolean;
}

/** The sockets of a run, and what becomes of them. One for each session. */
export class Handover {
  readonly #session: Session;
  /**
   * Sockets that the predecessor has, by name: a descriptor, or a port. Undefined without a
   * predecessor.
   */
  readonly #inherited: ReadonlyMap<string, number> | undefined;
  readonly #sockets = new Map<string, HandedSocket>();
  /** The names of those whose port others share. */
  readonly #shared = new Set<string>();
  /** The option that is missing to share the port of others, by name; "" if nothing is missing. */
  readonly #missing = new Map<string, string>();
  #successor: ChildProcess | undefined;
  #isStopping = false;

  constructor(session: Session) {
    this.#session = session;
    this.#inherited = readInherited();
    // Windows has no such signal.
    if (process.platform !== "win32") session.io.onSignal("SIGUSR2", () => this.#replace());
    session.onStopping(() => this.#giveUp());
    if (this.#inherited === undefined) return;
    session.log.note(`taking over from the process ${process.ppid}`);
    session.onAllNotified = notifyPredecessor;
  }

  /** Returns the listen address of a socket: that of the predecessor, or `listenAddress` without one. */
  async addressFor<P extends WantedListenAddress>(
    name: string,
    listenAddress: P,
  ): Promise<P | InheritedListenAddress> {
    const inherited = this.#inherited?.get(name);
    if (HANDS_OVER) return inherited === undefined ? listenAddress : { fd: inherited };
    if (inherited === undefined) {
      if (!("host" in listenAddress)) return listenAddress;
      const missing = await missingToShare(listenAddress);
      this.#missing.set(name, missing);
      if (missing !== "") return listenAddress;
    }
    this.#shared.add(name);
    return { ...listenAddress, ...inherited !== undefined && { port: inherited }, reusePort: true };
  }

  /** Has the successor listen at this socket as well. */
  add(name: string, socket: HandedSocket): void {
    this.#sockets.set(name, socket);
  }

  #replace(): void {
    const { log } = this.#session;
    if (this.#successor !== undefined) return log.note("SIGUSR2: the next process starts already");
    // The descriptors of a server that stops may be those of others by now.
    if (this.#isStopping) return log.note("SIGUSR2: this process stops already");
    try {
      this.#start();
    } catch (error) {
      this.#failed((error as Error).message);
    }
  }

  #start(): void {
    const { log, io: { clock } } = this.#session;
    const [file, ...args] = ownCommand();
    const { names, fds } = this.#handed();
    const lost = whatIsLost();
    if (lost !== undefined) log.note(`restarting: ${lost}`);
    const child = this.#successor = nodeChildProcess().spawn(file, args, {
      stdio: ["inherit", "inherit", "inherit", "ipc", ...fds],
      env: successorEnv(names),
    });
    log.note(`restarting: the process ${child.pid} starts`);
    const cancel = clock.setTimer(START_MS, () => child.kill("SIGKILL"));
    const isOver = () => {
      cancel();
      const was = this.#successor === child;
      this.#successor = undefined;
      return was;
    };
    child.once("error", (error) => isOver() && this.#failed(error.message));
    child.once("exit", (code, signal) => {
      if (isOver()) this.#failed(`the new process ended with ${signal ?? `exit code ${code}`}`);
    });
    child.on("message", (message) => {
      if (message !== READY || !isOver()) return;
      child.removeAllListeners();
      if (child.connected) child.disconnect();
      child.unref();
      log.note(`restarting: the process ${child.pid} serves`);
      this.#session.replace();
    });
  }

  /** The sockets as the successor gets them. Throws if it cannot have one. */
  #handed(): { names: string; fds: number[] } {
    const holder = this.#session.instruments.holder;
    if (holder !== undefined) throw new Error(`${holder} is for one process`);
    const fds: number[] = [];
    const names = [...this.#sockets].map(([name, socket]) => {
      const { addr, fd, isShared = this.#shared.has(name) } = socket;
      if (addr.transport === "unix" && addr.path !== "") {
        throw new Error(
          "--unix makes a new file in place of the old one; let systemd hold the socket",
        );
      }
      if (!HANDS_OVER && addr.transport === "tcp") {
        if (isShared) return `${name}=${addr.port}`;
        throw new Error(`on Deno this needs ${this.#missing.get(name)}`);
      }
      if (fd === undefined) {
        throw new Error("this runtime does not give out the descriptor of a socket");
      }
      return `${name}=${FIRST_FD - 1 + fds.push(fd)}`;
    });
    return { names: names.join(), fds };
  }

  #failed(why: string): void {
    this.#session.log.error(`Cannot restart: ${why}. Going on as before.`);
  }

  /** Ends a successor that does not serve yet, when this process is to stop. */
  #giveUp(): void {
    const child = this.#successor;
    this.#successor = undefined;
    this.#isStopping = true;
    child?.kill("SIGTERM");
  }
}

const handovers = new WeakMap<Session, Handover>();

/** The one of a session. */
export function handoverOf(session: Session): Handover {
  const known = handovers.get(session) ?? new Handover(session);
  handovers.set(session, known);
  return known;
}

/** Whether this process replaces another one. */
export function isSuccessor(): boolean {
  return readInherited() !== undefined;
}

/** Reads the predecessor's variable. One that was meant for our parent is only inherited, and ignored. */
function readInherited(): ReadonlyMap<string, number> | undefined {
  const [parent, names = ""] = readVariable(VARIABLE)?.split(" ") ?? [];
  if (parent !== String(process.ppid) || process.send === undefined) return undefined;
  const pairs = names.split(",").map((pair) => pair.split("="));
  return new Map(pairs.map(([name, number]) => [name, Number(number)]));
}

function successorEnv(names: string): Record<string, string | undefined> {
  const { LISTEN_FDS: _fds, LISTEN_PID: _pid, WATCHDOG_PID: _watched, ...env } = process.env;
  return { ...env, [VARIABLE]: `${process.pid} ${names}` };
}

function notifyPredecessor(): void {
  // The callback takes the error of a predecessor that has ended.
  if (process.connected) process.send!(READY, () => {});
}
