/**
 * Several targets of `relay` while it runs: the log says which are down, and SIGHUP reads their files
 * again.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import { factOf, SocketError } from "../../../base/errors.ts";
import { counted } from "../../../base/counted.ts";
import { dial } from "../../../dial.ts";
import { systemTransport } from "../../../net/system.deno.ts";
import type { Transport } from "../../../net/transport.ts";
import { type BalancedTarget, Balancer, type TargetChange } from "../../../protocols/balance.ts";
import type { Log } from "../../io/log.ts";
import { UsageError } from "../../io/flags.ts";
import { checkFilesReadableAgain } from "../../io/secret.ts";
import { type Destination, formatDestination } from "../../options/destination.ts";
import type { Lifecycle } from "../../serving/lifecycle.ts";
import { introducing } from "./send_proxy.ts";
import { refuseItself } from "./own_target.ts";
import { readsTargets, readTargets, type SeveralTargets } from "./targets.ts";

/** Options of {@linkcode openBalancer}. */
export interface Balancing {
  readonly log: Log;
  /** Reaches the targets. */
  readonly transport: Transport;
  readonly clock: Clock;
  readonly life: Lifecycle;
}

/** Makes a balancer of the targets, which changes with their files. It is closed when the server ends. */
export function openBalancer(
  to: SeveralTargets,
  { log, transport, clock, life }: Balancing,
): Balancer {
  const { connectTimeout: timeout, checkInterval, sendProxy } = to;
  const balanced = (target: Destination): BalancedTarget => ({
    name: formatDestination(target),
    dial: (signal, client) =>
      dial(introducing(transport, client, sendProxy), { ...target, timeout, signal, clock }),
  });
  const balancer: Balancer = new Balancer(to.targets.map(balanced), {
    checkInterval,
    clock,
    onChange: (change) => logChange(change, balancer, log),
  });
  life.onEnd(() => balancer.close());
  if (!readsTargets(to)) return balancer;
  const readAgain = async (isAsked: boolean) => {
    try {
      if (isAsked) checkFilesReadableAgain("--to", to.items);
      const targets = readTargets(to);
      for (const target of targets) await refuseItself(to.listenAddress, target, systemTransport);
      balancer.replace(targets.map(balanced));
      if (isAsked) log.note(`read again the targets: ${targets.map(formatDestination).join(", ")}`);
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof SocketError)) throw error;
      log.error(`${error.message.replace(/\.$/, "")}. The targets stay as they were.`);
    }
  };
  // One after the other, so that the last one counts.
  let reading = Promise.resolve();
  life.onReload(() => void (reading = reading.then(() => readAgain(true))));
  if (life.isWorker) reading = readAgain(false);
  return balancer;
}

function logChange({ name, state, connections, error }: TargetChange, all: Balancer, log: Log) {
  const used = all.targets.filter(({ state }) => state === "up" || state === "down");
  const up = used.filter(({ state }) => state === "up").length;
  const failure = error instanceof SocketError ? error : undefined;
  const left = `${up} of ${counted(used.length, "target")} up`;
  const line = {
    up: `target ${name} is up: ${left}`,
    down: `target ${name} is down, ${left}: ${failure && factOf(failure)}`,
    draining: `target ${name} drains: ${counted(connections, "connection")} left, no new one`,
    drained: `target ${name} is drained`,
  }[state];
  log.event(line, {
    event: "target",
    target: name,
    state,
    connections,
    up,
    ...failure && { code: failure.code, message: failure.message },
  });
}
