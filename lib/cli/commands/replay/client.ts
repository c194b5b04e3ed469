/**
 * `client.ts replay FILE --to HOST:PORT`: plays the client's side of a recording.
 *
 * @module
 */

import { counted } from "../../../base/plural.ts";
import { dial } from "../../../dial.ts";
import { ReplayMismatch } from "../../../replay/match.ts";
import { play } from "../../../replay/player.ts";
import { matcherOf } from "../../../replay/replayed.ts";
import { type Command, command } from "../../command.ts";
import { clientExitHelp, EXIT } from "../../io/exit.ts";
import { renderFlags, UsageError, type Values } from "../../io/flags.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { GENERAL_FLAGS, noMore } from "../../options/common.ts";
import { formatDestination } from "../../options/destination.ts";
import { INSTRUMENT_FLAGS, INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { openTransport } from "../../options/transport.ts";
import type { Session } from "../../session.ts";
import { TARGET_FLAGS, targetOf } from "../relay/target.ts";
import { openReplay, REPLAY_FLAGS, tellMismatch } from "./options.ts";

const FLAGS = { ...TARGET_FLAGS, ...REPLAY_FLAGS, ...INSTRUMENT_FLAGS, ...GENERAL_FLAGS };

const HELP = `Plays the client's side of a recording to a server.

  deno run -A server.ts relay --to db:5432 --record x.jsonl   records
  deno run -A client.ts replay x.jsonl --to db:5432           is the client that was recorded
  npx plainsocket client replay x.jsonl --to db:5432          the same on Node

Usage: client.ts replay FILE --to TARGET [options]

Options:
${renderFlags(FLAGS)}

The connections are played one after the other. What the server sends is compared with what it sent
then: the first difference is shown, with both sides as hex and text, and ends it with 1.

${INSTRUMENT_HELP}

Exit codes:
${clientExitHelp(["ok", "differed", "badInput", "notConnected", "timeout", "tlsFailed"])}
`;

/** The command. */
export const replay: Command = command({ name: "replay", flags: FLAGS, help: HELP, run });

async function run(
  values: Values<typeof FLAGS>,
  positionals: string[],
  session: Session,
): Promise<number> {
  const file = positionals.shift();
  if (file === undefined) throw new UsageError("replay needs a FILE that --record has written");
  noMore(positionals, "replay takes one FILE");
  const target = targetOf(values);
  const { signal, exitCode } = session.onSignals();
  const log = session.openLog(values);
  const { scripts, options } = await openReplay(values, file, "client", session);
  const transport = openTransport(session, clientTranscript());
  log.note(`playing ${counted(scripts.length, "connection")} to ${formatDestination(target)}`);
  const { "connect-timeout": timeout } = values;
  const { clock } = session.io;
  try {
    for (const script of scripts) {
      const conn = await dial(transport, { ...target, timeout, signal, clock });
      const onAbort = () => conn.reset();
      signal.addEventListener("abort", onAbort);
      try {
        await play(conn, script, matcherOf(script, options), options);
      } finally {
        signal.removeEventListener("abort", onAbort);
        conn.close();
      }
    }
  } catch (error) {
    if (signal.aborted) return exitCode();
    if (error instanceof ReplayMismatch) return tellMismatch(error, log);
    throw error;
  }
  log.note(`played ${counted(scripts.length, "connection")}, as recorded`);
  return EXIT.ok;
}
