/**
 * `server.ts relay --to TARGET`: a port that leads to another one.
 *
 * @module
 */

import { systemTransport } from "../../../net/system.deno.ts";
import { ACCESS_HELP } from "../../options/access.ts";
import { type Command, command } from "../../command.ts";
import { INSTRUMENT_FLAGS, INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { GENERAL_FLAGS, noMore } from "../../options/common.ts";
import { formatDestination } from "../../options/destination.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { relayAdvice } from "../../advice/first_word.ts";
import { renderFlags, type Values } from "../../io/flags.ts";
import { RELAY_HINTS } from "../../advice/hints.ts";
import { relayHandler } from "./handler.ts";
import { refuseItself } from "./itself.ts";
import { TARGET_FLAGS, targetOf } from "./target.ts";
import { openListener, serveUntilStopped, servingFlags } from "../../serving/serving.ts";
import { Shortage } from "../../serving/shortage.ts";
import { openObserved } from "../../options/transport.ts";
import { placeOf } from "../../serving/place.ts";
import { wantsTls } from "../../serving/tls.ts";
import { serveInWorkers, WORKER_FLAGS, WORKERS_HELP } from "../../serving/workers.ts";
import type { Session } from "../../session.ts";
import { switchboardTranscript } from "../../io/transcript.ts";

const PORT = 10001;

const FLAGS = {
  ...TARGET_FLAGS,
  ...servingFlags(PORT),
  ...WORKER_FLAGS,
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

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

${WORKERS_HELP}

${INSTRUMENT_HELP}

Exit codes:
${SERVER_EXIT_HELP}
`;

/** The command. */
export const relay: Command = command({
  name: "relay",
  flags: FLAGS,
  help: HELP,
  hints: RELAY_HINTS,
  run,
});

async function run(
  values: Values<typeof FLAGS>,
  positionals: string[],
  session: Session,
): Promise<number> {
  noMore(positionals, relayAdvice(positionals, values.to !== ""));
  const target = targetOf(values);
  await refuseItself(placeOf(values, PORT, wantsTls(values)), target, systemTransport);
  const signals = session.onSignals();
  const log = session.openLog(values);
  if (values.workers > 0) {
    log.note(`relaying to ${formatDestination(target)}`);
    return await serveInWorkers("relay", values, PORT, session, signals);
  }
  const { clock } = session.io;
  // Faults are for the clients: the target is the other end of the same conversation.
  const transport = new Shortage(log, clock).watch(openObserved(session, switchboardTranscript()));
  const listening = session.instruments.withFaults(transport, clock);
  const opened = await openListener(values, PORT, session, listening);
  log.note(`relaying to ${formatDestination(target)}`);
  const handler = relayHandler(values, log, transport, clock);
  return await serveUntilStopped(opened, handler, values, session, signals);
}
