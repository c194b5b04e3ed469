/**
 * `server.ts replay FILE`: plays the server's side of a recording.
 *
 * @module
 */

import { counted } from "../../../base/counted.ts";
import { systemTransport } from "../../../net/system.deno.ts";
import type { Conn } from "../../../net/transport.ts";
import { ReplayMismatch } from "../../../replay/match.ts";
import { serve } from "../../../serve/serve.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import { EXIT, SERVER_EXIT_HELP } from "../../io/exit.ts";
import { renderFlags, type Values } from "../../io/flags.ts";
import type { Signals } from "../../io/signals.ts";
import { switchboardTranscript } from "../../io/transcript.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import {
  INSTRUMENT_FLAGS,
  INSTRUMENT_HELP,
  parseInstruments,
} from "../../options/instrument_flags.ts";
import { openObserved } from "../../options/transport.ts";
import { parseProxies } from "../../options/proxy_protocol.ts";
import { parseServing, servingFlags, type ServingOptions } from "../../options/serving.ts";
import { openListener, serveOptions, serveUntilStopped } from "../../serving/serving.ts";
import { Shortage } from "../../serving/resource_shortage.ts";
import type { Session } from "../../session.ts";
import { refuseItself } from "../relay/own_target.ts";
import { Addition } from "./on_miss_record.ts";
import { type MissChoice, ON_MISS_FLAGS, parseOnMiss } from "./on_miss_flags.ts";
import {
  checkPlayable,
  logMismatch,
  openReplay,
  parseReplay,
  type Replay,
  REPLAY_FLAGS,
  type ReplayChoice,
} from "./options.ts";
import { passOnHandler } from "./on_miss_pass.ts";

const PORT = 10003;

const FLAGS = {
  ...REPLAY_FLAGS,
  ...ON_MISS_FLAGS,
  ...servingFlags(PORT),
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

const HELP = `Plays the server's side of a recording to the clients that connect.

  deno run -A server.ts relay --to db:5432 --record x.jsonl   records
  deno run -A server.ts replay x.jsonl --port 5432            is the server that was recorded
  deno run -A server.ts replay x.jsonl --on-miss record --to db:5432
                                                              asks the real one for the rest
  npx plainsocket server replay x.jsonl                       the same on Node

Usage: server.ts replay FILE [options]

Options:
${renderFlags(FLAGS)}

Each client gets the next recorded connection. What the server sent is sent when as many bytes of the
client have come as when it was recorded, so that a server may speak first, and clients may send
ahead. What clients send is compared: the first difference is shown, with both sides as hex and text,
and ends it with 1. When all connections have been played it ends with 0.

With --on-miss pass or record, a client gets the first recorded connection that goes as it goes. One
that goes another way is passed on to --to, and so is one for which nothing is left. The target first
gets what the client has sent so far; with --match http only the request that was not recorded. Record
adds such a connection to FILE when it has ended. It serves until Ctrl-C or SIGTERM.

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

/** Options of the server's side. */
interface ReplayServerOptions extends CommandOptions {
  readonly replay: ReplayChoice;
  /** Undefined ends it at the first difference. */
  readonly onMiss: MissChoice | undefined;
  readonly serving: ServingOptions;
}

function parseReplayServer(
  values: Values<typeof FLAGS>,
  positionals: string[],
): ReplayServerOptions {
  const replay = parseReplay(values, positionals);
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { serves: true }),
    proxies: parseProxies(values),
    replay,
    onMiss: parseOnMiss(values, replay.file),
    serving: parseServing(values, PORT),
  };
}

async function run(
  { replay: choice, onMiss, serving }: ReplayServerOptions,
  session: Session,
): Promise<number> {
  const signals = session.onSignals();
  const replay = await openReplay(choice, "server", session);
  // Clients can go on with the real server from the start.
  if (onMiss === undefined) {
    checkPlayable(replay, choice.file);
    return await playAll(replay, serving, session, signals);
  }
  return await playAndPassOn(replay, choice.file, { ...onMiss, serving }, session, signals);
}

/** Plays until a client says something that was not recorded, and passes it on; until a signal. */
async function playAndPassOn(
  replay: Replay,
  file: string,
  { target, records, serving }: MissChoice & { readonly serving: ServingOptions },
  session: Session,
  signals: Signals,
): Promise<number> {
  const { log, io: { clock } } = session;
  await refuseItself(serving.listenAddress, target.target, systemTransport);
  // Faults are for the clients, as in a relay.
  const transport = new Shortage(log, clock).watch(openObserved(session, switchboardTranscript()));
  const broken = session.instruments.withFaults(transport, clock);
  const addition = records ? new Addition(file, replay.recording, log, clock) : undefined;
  const opened = await openListener(serving, session, addition?.watch(broken) ?? broken);
  log.note(`playing ${counted(replay.replays.left, "connection")}`);
  const onMiss = (conn: Conn) => addition?.add(conn);
  const handler = passOnHandler(replay, { log, transport, target, onMiss, clock });
  return await serveUntilStopped(opened, handler, serving.limits, session, signals);
}

/** Plays all connections; the first difference ends it. */
async function playAll(
  replay: Replay,
  serving: ServingOptions,
  session: Session,
  signals: Signals,
): Promise<number> {
  const { log } = session;
  const { replays } = replay;
  const { left: total } = replays;
  const opened = await openListener(serving, session);
  log.note(`playing ${counted(total, "connection")}`);
  const done = new AbortController();
  const stopping = AbortSignal.any([signals.signal, done.signal]);
  let left = total;
  let mismatch: ReplayMismatch | undefined;
  let broken = 0;
  await serve(opened.listener, async (conn) => {
    if (replays.left === 0) return conn.reset();
    try {
      await replays.playNext(conn);
    } catch (error) {
      if (!(error instanceof ReplayMismatch)) {
        broken++;
        throw error;
      }
      mismatch ??= error;
      done.abort();
    } finally {
      if (--left === 0) done.abort();
    }
  }, {
    ...serveOptions(serving.limits, opened.access, log, session.io.clock),
    signal: stopping,
  }).finished;
  if (mismatch !== undefined) return logMismatch(mismatch, replay, log);
  if (left > 0 || signals.signal.aborted) return signals.exitCode();
  if (broken > 0) {
    log.error(`${counted(broken, "connection")} broke off before the end of what was recorded`);
    return EXIT.differed;
  }
  log.note(`played ${counted(total, "connection")}, as recorded`);
  return EXIT.ok;
}
