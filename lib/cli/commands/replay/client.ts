/**
 * `client.ts replay FILE --to HOST:PORT`: plays the client's side of a recording.
 *
 * @module
 */

import { counted } from "../../../base/counted.ts";
import { dial } from "../../../dial.ts";
import { ReplayMismatch } from "../../../replay/match.ts";
import { IdleWatch } from "../../../serve/idle.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import { clientExitHelp, EXIT } from "../../io/exit.ts";
import { renderFlags, type Values } from "../../io/flags.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import { formatDestination } from "../../options/destination.ts";
import {
  INSTRUMENT_FLAGS,
  INSTRUMENT_HELP,
  parseInstruments,
} from "../../options/instrument_flags.ts";
import { LIMIT_FLAGS } from "../../options/limits.ts";
import { openClientTransport } from "../../options/transport.ts";
import type { Session } from "../../session.ts";
import { parseTarget, TARGET_FLAGS, type TargetOptions } from "../relay/target.ts";
import {
  checkPlayable,
  logMismatch,
  openReplay,
  parseReplay,
  REPLAY_FLAGS,
  type ReplayChoice,
} from "./options.ts";

const FLAGS = {
  ...TARGET_FLAGS,
  "idle-timeout": LIMIT_FLAGS["idle-timeout"],
  ...REPLAY_FLAGS,
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

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
export const replay: Command = command({
  name: "replay",
  line: commandLine(FLAGS, parseReplayClient),
  help: HELP,
  hints: () =>
    Promise.resolve({
      "--on-miss": "it is for 'server.ts replay'; here the first difference ends it",
    }),
  run,
});

/** Options of the client's side. */
interface ReplayClientOptions extends CommandOptions {
  readonly replay: ReplayChoice;
  readonly to: TargetOptions;
  /** The silence after which it gives the server up, in milliseconds; 0 for no limit. */
  readonly idleTimeout: number;
}

function parseReplayClient(
  values: Values<typeof FLAGS>,
  positionals: string[],
): ReplayClientOptions {
  return {
    log: parseLog(values),
    instruments: parseInstruments(values),
    replay: parseReplay(values, positionals),
    to: parseTarget(values),
    idleTimeout: values["idle-timeout"],
  };
}

async function run(
  { replay, to: { target, connectTimeout: timeout }, idleTimeout }: ReplayClientOptions,
  session: Session,
): Promise<number> {
  const { log, io: { clock } } = session;
  const { signal, exitCode } = session.onSignals();
  const opened = await openReplay(replay, "client", session);
  checkPlayable(opened, replay.file);
  const { replays } = opened;
  const { left: total } = replays;
  const transport = openClientTransport(session, clientTranscript());
  const idle = new IdleWatch(idleTimeout, clock);
  log.note(`playing ${counted(total, "connection")} to ${formatDestination(target)}`);
  try {
    while (replays.left > 0) {
      const conn = await dial(transport, { ...target, timeout, signal, clock });
      const onAbort = () => conn.reset();
      signal.addEventListener("abort", onAbort);
      idle.add(conn);
      try {
        await replays.playNext(conn);
      } finally {
        signal.removeEventListener("abort", onAbort);
        idle.delete(conn);
        conn.close();
      }
    }
  } catch (error) {
    if (signal.aborted) return exitCode();
    if (error instanceof ReplayMismatch) return logMismatch(error, opened, log);
    throw error;
  }
  log.note(`played ${counted(total, "connection")}, as recorded`);
  return EXIT.ok;
}
