/**
 * The handler of `relay`: it joins each client to the target, and logs a line for each.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import { isExhausted } from "../../../base/backoff.ts";
import type { Clock } from "../../../base/clock.ts";
import { counted } from "../../../base/counted.ts";
import { dial } from "../../../dial.ts";
import { SocketError } from "../../../base/errors.ts";
import { type DialTarget, relay, type Relayed, type TargetPool } from "../../../protocols/relay.ts";
import type { Handler } from "../../../serve/serve.ts";
import { RequestError } from "../../../http/client/errors.ts";
import { WsError } from "../../../http/ws/error.ts";
import type { Conn, Transport } from "../../../net/transport.ts";
import { type Attempt, noting } from "../../options/last_attempt.ts";
import { explained } from "../../explain/explain.ts";
import type { Log } from "../../io/log.ts";
import type { Lifecycle } from "../../serving/lifecycle.ts";
import { openBalancer } from "./balancing.ts";
import { introducing } from "./send_proxy.ts";
import type { RelayTo } from "./targets.ts";
import type { TargetOptions } from "./target.ts";
import { formatTarget, type RelayTargetOptions } from "./web_socket_target.ts";

/**
 * Makes the handler that joins each client to the target, or to one of several. What speaks WebSocket is
 * loaded for a target that does.
 */
export async function handlerTo(
  to: RelayTo,
  log: Log,
  transport: Transport,
  clock: Clock,
  life: Lifecycle,
): Promise<Handler> {
  if ("target" in to) {
    const { target } = to;
    if (!("url" in target)) return relayHandler({ ...to, target }, log, transport, clock);
    const { dialBytes } = await import("./web_socket_dial.ts");
    return joiningOne(
      to,
      (through, limits) => dialBytes(target, through, limits),
      log,
      transport,
      clock,
    );
  }
  const balancer = openBalancer(to, { log, transport, clock, life });
  const names = () => balancer.targets.map(({ name }) => name).join(", ");
  const causeOf = (error: SocketError) => Promise.resolve(error.message);
  return joining(balancer, { destination: names, causeOf }, log, clock);
}

/** Makes the handler that joins each client to a target that takes bytes. */
export function relayHandler(
  to: TargetOptions & Pick<RelayTargetOptions, "sendProxy">,
  log: Log,
  transport: Transport,
  clock: Clock,
): Handler {
  const connect: Connect = (through, limits) => dial(through, { ...to.target, ...limits });
  return joiningOne(to, connect, log, transport, clock);
}

/** Connects to the target over a transport. */
type Connect = (
  transport: Transport,
  limits: { readonly timeout: number; readonly signal: AbortSignal; readonly clock: Clock },
) => Promise<Conn>;

function joiningOne(
  { target, connectTimeout: timeout, sendProxy }: RelayTargetOptions,
  connect: Connect,
  log: Log,
  transport: Transport,
  clock: Clock,
): Handler {
  const attempt: Attempt = {};
  const noted = noting(transport, attempt);
  const causes = new Causes(attempt, clock);
  const dialTarget: DialTarget = (signal, client) =>
    connect(introducing(noted, client, sendProxy), { timeout, signal, clock });
  const words = {
    destination: () => formatTarget(target),
    causeOf: (error: SocketError) => causes.of(error),
  };
  return joining(dialTarget, words, log, clock);
}

/** The words of the log for a client whose target was not reached. */
interface Unreached {
  /** The target. */
  destination(): string;
  /** The message of the error, with its cause if that is known. */
  causeOf(error: SocketError): Promise<string>;
}

function joining(
  target: DialTarget | TargetPool,
  { destination, causeOf }: Unreached,
  log: Log,
  clock: Clock,
): Handler {
  /** The lines that wait for a check. */
  const waiting = new Set<Promise<void>>();
  const handler = relay(target, {
    clock,
    onEnd(relayed) {
      const { error } = relayed;
      if (relayed.target !== undefined || !(error instanceof SocketError)) {
        return logRelayed(log, relayed, destination);
      }
      const logged = causeOf(error).then((message) =>
        logRelayed(log, relayed, destination, message)
      );
      waiting.add(logged);
      void logged.then(() => waiting.delete(logged));
    },
  });
  return async (conn, context) => {
    try {
      await handler(conn, context);
    } catch (error) {
      // The log line of the connection says what went wrong with its sockets.
      if (!isOfPeers(error)) throw error;
      if (waiting.size > 0) await Promise.all(waiting);
    }
  };
}

/** Whether it is what peers do, and no mistake of ours. */
function isOfPeers(error: unknown): error is SocketError | RequestError | WsError {
  return error instanceof SocketError || error instanceof RequestError || error instanceof WsError;
}

/** The time for which a cause holds for all clients, in milliseconds: it is not looked for at each. */
const CAUSE_MS = 1000;

/** Why the target cannot be reached. One check is under way at a time. */
class Causes {
  readonly #attempt: Attempt;
  readonly #clock: Clock;
  #last:
    | { readonly code: string; readonly at: number; readonly message: Promise<string> }
    | undefined;

  constructor(attempt: Attempt, clock: Clock) {
    this.#attempt = attempt;
    this.#clock = clock;
  }

  /** The message of an error with its cause. */
  of(error: SocketError): Promise<string> {
    const { code } = error;
    if (isExhausted(code) || code === "ECANCELED") return Promise.resolve(error.message);
    const at = this.#clock.now();
    if (this.#last?.code !== code || at - this.#last.at > CAUSE_MS) {
      const names = { client: "client.ts", command: "relay" };
      this.#last = { code, at, message: explained(error, this.#attempt, names) };
    }
    return this.#last.message;
  }
}

function logRelayed(log: Log, relayed: Relayed, destination: () => string, cause?: string): void {
  const { toTarget, toClient, error } = relayed;
  const client = formatAddr(relayed.client);
  const target = relayed.target === undefined ? destination() : formatAddr(relayed.target);
  const seconds = (relayed.duration / 1000).toFixed(3);
  const failure = isOfPeers(error) ? error : undefined;
  const message = cause ?? failure?.message;
  log.event(
    `${client} to ${target}: ${counted(toTarget, "byte")} there, ${toClient} back, ${seconds} s` +
      (failure === undefined ? "" : `: ${message}`),
    {
      event: "relayed",
      client,
      target,
      toTarget,
      toClient,
      seconds: Number(seconds),
      ...failure && { code: "code" in failure ? failure.code : failure.closeCode, message },
    },
  );
}
