/**
 * The work of `client.ts echo`: sending a message, or stdin, and comparing what comes back.
 *
 * @module
 */

import { dial } from "../../../dial.ts";
import { IdleWatch } from "../../../serve/idle.ts";
import type { Signals } from "../../io/signals.ts";
import { awaitedStdin } from "../../io/stdin.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { describeDestination } from "../../options/destination.ts";
import { openClientTransport } from "../../options/transport.ts";
import type { Session } from "../../session.ts";
import type { EchoClientOptions } from "./client_options.ts";
import { logOutcome } from "./outcome.ts";
import { EchoExchange, type EchoOutcome } from "./tcp_exchange.ts";

/** Sends, and waits for all of it to come back; resolves to the exit code. */
export async function runEchoClient(options: EchoClientOptions, session: Session): Promise<number> {
  const { log } = session;
  const signals = session.onSignals();
  const stdin = awaitedStdin(session.io, () => {
    log.note(
      "waiting for input on stdin, which is sent until it ends; to send a message say 'echo MESSAGE'",
    );
  });
  const { datagrams } = options;
  if (datagrams === undefined) return await echoStream(options, stdin, session, signals);
  const { echoUdpClient } = await import("./udp_client.ts");
  return await echoUdpClient({ ...options, ...datagrams }, stdin, session, signals);
}

async function echoStream(
  { message, destination, connectTimeout: timeout, timeout: idleTimeout, recvSize }:
    EchoClientOptions,
  stdin: AsyncIterable<Uint8Array>,
  session: Session,
  { signal, exitCode }: Signals,
): Promise<number> {
  const { log, io: { clock } } = session;
  const transport = openClientTransport(session, clientTranscript());
  log.note(`connecting to ${describeDestination(destination)}`);
  try {
    const conn = await dial(transport, { ...destination, signal, timeout, clock });
    signal.addEventListener("abort", () => conn.reset());
    const exchange = new EchoExchange(conn, {
      source: message === undefined ? stdin : once(message),
      sink: (data) => log.data(data),
      recvSize,
    });
    const idle = new IdleWatch(idleTimeout, clock);
    idle.add(conn, () => exchange.waiting);
    let outcome: EchoOutcome;
    try {
      outcome = await exchange.run();
    } finally {
      idle.delete(conn);
      conn.close();
    }
    return logOutcome(outcome, log, exchange.sentAll ? outcome.sent : message?.length);
  } catch (error) {
    if (signal.aborted) return exitCode();
    throw error;
  }
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}
