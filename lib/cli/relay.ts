/**
 * `server.ts relay --to TARGET`: a port that leads to another one.
 *
 * @module
 */

import { formatAddr } from "../addr.ts";
import { dial } from "../dial.ts";
import { SocketError } from "../errors.ts";
import { relay as relayTo, type Relayed } from "../relay.ts";
import type { Handler } from "../serve.ts";
import { ACCESS_HELP } from "./access.ts";
import { type Command, command } from "./command.ts";
import { GENERAL_FLAGS, noMore, openLog } from "./common.ts";
import { formatPlace } from "./connect/places.ts";
import { exitHelp } from "./exit.ts";
import { renderFlags, type Values } from "./flags.ts";
import type { Log } from "./log.ts";
import { TARGET_FLAGS, targetOf } from "./relay/target.ts";
import { openListener, openTransport, serveUntilStopped, servingFlags } from "./serving.ts";
import { onSignals } from "./signals.ts";
import { switchboardTranscript } from "./transcript.ts";

const PORT = 10001;

const FLAGS = { ...TARGET_FLAGS, ...servingFlags(PORT), ...GENERAL_FLAGS };

const HELP = `Joins each client to a connection of its own to a target.

  deno run -A server.ts relay --to localhost:10000              to another port
  deno run -A server.ts relay --to localhost:80 --port 8443 --tls-self-signed
                                                                TLS in front of a plain server
  deno run -A server.ts relay --to tls:example.com:443          plain in front of TLS
  deno run -A server.ts relay --to unix:/run/app.sock           a Unix socket for the network
  deno run -A server.ts relay --to localhost:5432 --unix db.sock
  npx plainsocket server relay --to localhost:10000             the same on Node

Usage: server.ts relay --to TARGET [options]

Options:
${renderFlags(FLAGS)}

Who reads slowly holds the other side back, and the end of what one side sends is passed on while
the other goes on. A reset of one side resets the other; a target that cannot be reached resets the
client. (Deno cannot reset, and closes.) --idle-timeout is for both directions together.

stdout gets one line: the URL it listens at. stderr gets a line for each conversation when it has
ended: the bytes each way, the time, and what went wrong if something did. Ctrl-C or SIGTERM stops
accepting and lets conversations finish for the grace time, then resets them; again ends at once.

${ACCESS_HELP}

Exit codes:
${exitHelp("ok", "usage", "notResolved", "notConnected", "internal", "interrupted")}
`;

/** The command. */
export const relay: Command = command({ name: "relay", flags: FLAGS, help: HELP, run });

async function run(values: Values<typeof FLAGS>, positionals: string[]): Promise<number> {
  noMore(positionals);
  const target = targetOf(values);
  const signals = onSignals();
  const log = openLog(values);
  const transport = openTransport(log, switchboardTranscript());
  const opened = await openListener(values, PORT, log, transport);
  log.note(`relaying to ${formatPlace(target)}`);
  const timeout = values["connect-timeout"];
  const handler = relayTo((signal) => dial(transport, { ...target, timeout, signal }), {
    onEnd: (relayed) => tell(log, relayed, formatPlace(target)),
  });
  return await serveUntilStopped(opened, withoutErrors(handler), values, log, signals);
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

function tell(log: Log, relayed: Relayed, place: string): void {
  const { toTarget, toClient, error } = relayed;
  const client = formatAddr(relayed.client);
  const target = relayed.target === undefined ? place : formatAddr(relayed.target);
  const seconds = (relayed.duration / 1000).toFixed(3);
  const failure = error instanceof SocketError ? error : undefined;
  log.event(
    `${client} to ${target}: ${toTarget} bytes there, ${toClient} back, ${seconds} s` +
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
