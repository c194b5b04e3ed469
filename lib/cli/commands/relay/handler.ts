/**
 * The conversations of `relay`: each client joined to the target, and a line told of each.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import type { Clock } from "../../../base/clock.ts";
import { counted } from "../../../base/plural.ts";
import { dial } from "../../../dial.ts";
import { SocketError } from "../../../base/errors.ts";
import { relay, type Relayed } from "../../../protocols/relay.ts";
import type { Handler } from "../../../serve/serve.ts";
import type { Transport } from "../../../net/transport.ts";
import { formatDestination } from "../../options/destination.ts";
import type { Log } from "../../io/log.ts";
import type { TargetOptions } from "./target.ts";

/** Makes the handler that joins each client to the target. */
export function relayHandler(
  { target, connectTimeout: timeout }: TargetOptions,
  log: Log,
  transport: Transport,
  clock: Clock,
): Handler {
  const handler = relay((signal) => dial(transport, { ...target, timeout, signal, clock }), {
    clock,
    onEnd: (relayed) => tell(log, relayed, formatDestination(target)),
  });
  return withoutErrors(handler);
}

/** The line of a conversation has told what went wrong with its sockets. */
function withoutErrors(handler: Handler): Handler {
  return async (conn, conversation) => {
    try {
      await handler(conn, conversation);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
  };
}

function tell(log: Log, relayed: Relayed, destination: string): void {
  const { toTarget, toClient, error } = relayed;
  const client = formatAddr(relayed.client);
  const target = relayed.target === undefined ? destination : formatAddr(relayed.target);
  const seconds = (relayed.duration / 1000).toFixed(3);
  const failure = error instanceof SocketError ? error : undefined;
  log.event(
    `${client} to ${target}: ${counted(toTarget, "byte")} there, ${toClient} back, ${seconds} s` +
      (failure === undefined ? "" : `: ${failure.message}`),
    {
      event: "relayed",
      client,
      target,
      toTarget,
      toClient,
      seconds: Number(seconds),
      ...failure && { code: failure.code, message: failure.message },
    },
  );
}
