/**
 * `server.ts watch FILE`: a recording in a page, at any moment.
 *
 * @module
 */

import { systemTransport } from "../../../net/system.deno.ts";
import { ReplayedRecording } from "../../watch/replayed_recording.ts";
import { serveWatch } from "../../watch/server.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import { openBrowser } from "../../io/browser.ts";
import { EXIT, SERVER_EXIT_HELP } from "../../io/exit.ts";
import { renderFlags, toggle, UsageError, type Values } from "../../io/flags.ts";
import { GENERAL_FLAGS, noMore, parseLog } from "../../options/common.ts";
import type { Session } from "../../session.ts";
import { openRecording } from "../recording/recording.ts";

const FLAGS = { open: toggle("open the page in the browser"), ...GENERAL_FLAGS };

const HELP = `Shows a recording in a page: each connection, step by step, at any moment.

  deno run -A server.ts relay --to db:5432 --record x.jsonl   records
  deno run -A server.ts watch x.jsonl --open                  shows what was recorded
  npx plainsocket server watch x.jsonl                        the same on Node

Usage: server.ts watch FILE [options]

Options:
${renderFlags(FLAGS)}

FILE is '-' for stdin. stdout gets one line: the URL of the page, which only this machine can open.
Ctrl-C ends it. To watch a command while it runs, give it --watch.

Exit codes:
${SERVER_EXIT_HELP}
  26   FILE cannot be read, or is not a recording
`;

/** The command. */
export const watch: Command = command({
  name: "watch",
  line: commandLine(FLAGS, parseWatch),
  help: HELP,
  run,
});

interface WatchFileOptions extends CommandOptions {
  /** `-` is stdin. */
  readonly file: string;
  readonly open: boolean;
}

function parseWatch(values: Values<typeof FLAGS>, positionals: string[]): WatchFileOptions {
  const file = positionals.shift();
  if (file === undefined) throw new UsageError("watch needs a FILE that --record has written");
  noMore(positionals, "watch takes one FILE");
  return { log: parseLog(values), file, open: values.open };
}

async function run({ file, open }: WatchFileOptions, session: Session): Promise<number> {
  const { log, io } = session;
  const { signal } = session.onSignals();
  const recording = await openRecording(file, session);
  if (recording.warning !== undefined) log.note(recording.warning);
  const server = await serveWatch(new ReplayedRecording(recording, file), systemTransport);
  try {
    await session.print(`${server.url}\n`);
    if (open) {
      openBrowser(server.url, io.env, (why) => log.note(`could not open the browser: ${why}`));
    }
    log.note("showing the recording; Ctrl-C stops");
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
  } finally {
    await server.close();
  }
  return EXIT.ok;
}
