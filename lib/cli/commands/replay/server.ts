/**
 * `server.ts replay FILE`: plays the server's side of a recording.
 *
 * @module
 */

import { counted } from "../../../base/plural.ts";
import { ReplayMismatch } from "../../../replay/match.ts";
import { play } from "../../../replay/player.ts";
import { matcherOf } from "../../../replay/replayed.ts";
import { serve } from "../../../serve/serve.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import { EXIT, SERVER_EXIT_HELP } from "../../io/exit.ts";
import { renderFlags, type Values } from "../../io/flags.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import {
  INSTRUMENT_FLAGS,
  INSTRUMENT_HELP,
  parseInstruments,
} from "../../options/instrument_flags.ts";
import { parseServing, servingFlags, type ServingOptions } from "../../options/serving.ts";
import { conversationOptions, openListener } from "../../serving/serving.ts";
import type { Session } from "../../session.ts";
import {
  openReplay,
  parseReplay,
  REPLAY_FLAGS,
  type ReplayChoice,
  tellMismatch,
} from "./options.ts";

const PORT = 10003;

const FLAGS = { ...REPLAY_FLAGS, ...servingFlags(PORT), ...INSTRUMENT_FLAGS, ...GENERAL_FLAGS };

const HELP = `Plays the server's side of a recording to the clients that connect.

  deno run -A server.ts relay --to db:5432 --record x.jsonl   records
  deno run -A server.ts replay x.jsonl --port 5432            is the server that was recorded
  npx plainsocket server replay x.jsonl                       the same on Node

Usage: server.ts replay FILE [options]

Options:
${renderFlags(FLAGS)}

Each client gets the next recorded connection. What the server sent is sent when as many bytes of the
client have come as when it was recorded, so that a server may speak first, and clients may send
ahead. What clients send is compared: the first difference is shown, with both sides as hex and text,
and ends it with 1. When all connections have been played it ends with 0.

stdout gets one line: the URL it listens at. All else goes to stderr.

${INSTRUMENT_HELP}

Exit codes:
${SERVER_EXIT_HELP}
  1    a client has not sent what was recorded
`;

/** The command. */
export const replay: Command = command({
  name: "replay",
  line: commandLine(FLAGS, parseReplayServer),
  help: HELP,
  run,
});

/** What the server's side takes. */
interface ReplayServerOptions extends CommandOptions {
  readonly replay: ReplayChoice;
  readonly serving: ServingOptions;
}

function parseReplayServer(
  values: Values<typeof FLAGS>,
  positionals: string[],
): ReplayServerOptions {
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { serves: true }),
    replay: parseReplay(values, positionals),
    serving: parseServing(values, PORT),
  };
}

async function run({ replay, serving }: ReplayServerOptions, session: Session): Promise<number> {
  const { log } = session;
  const signals = session.onSignals();
  const { scripts, options } = await openReplay(replay, "server", session);
  const opened = await openListener(serving, session);
  log.note(`playing ${counted(scripts.length, "connection")}`);
  const done = new AbortController();
  const stopping = AbortSignal.any([signals.signal, done.signal]);
  let [next, left] = [0, scripts.length];
  let mismatch: ReplayMismatch | undefined;
  await serve(opened.listener, async (conn) => {
    const script = scripts[next++];
    if (script === undefined) return conn.reset();
    try {
      await play(conn, script, matcherOf(script, options), options);
    } catch (error) {
      if (!(error instanceof ReplayMismatch)) throw error;
      mismatch ??= error;
      done.abort();
    } finally {
      if (--left === 0) done.abort();
    }
  }, {
    ...conversationOptions(serving.limits, opened.access, log, session.io.clock),
    signal: stopping,
  }).finished;
  if (mismatch !== undefined) return tellMismatch(mismatch, log);
  if (left > 0) return signals.exitCode();
  log.note(`played ${counted(scripts.length, "connection")}, as recorded`);
  return EXIT.ok;
}
