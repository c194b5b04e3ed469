/**
 * `client.ts recording FILE`: what is in a recording, or the same in another format.
 *
 * @module
 */

import { createReadStream, writeFileSync } from "node:fs";
import { safeJson } from "../../../base/escape.ts";
import { extname } from "node:path";
import { toHar } from "../../../recording/har/har.ts";
import { toMermaid } from "../../../recording/mermaid.ts";
import { toPcapng } from "../../../recording/pcapng/pcapng.ts";
import { connectionsOf } from "../../../recording/connections.ts";
import { RecordingError } from "../../../recording/error.ts";
import type { RecordedEvent, Recording } from "../../../recording/format.ts";
import { readRecording } from "../../../recording/read.ts";
import { toSvg } from "../../../recording/svg.ts";
import { summaryOf, toText } from "../../../recording/text.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import { clientExitHelp, CliError, EXIT } from "../../io/exit.ts";
import {
  choice,
  integer,
  optional,
  renderFlags,
  text,
  UsageError,
  type Values,
} from "../../io/flags.ts";
import { isSameFile, whyUnreadable, writeError } from "../../io/files.ts";
import { GENERAL_FLAGS, noMore, parseLog } from "../../options/common.ts";
import type { Session } from "../../session.ts";

/** The formats that a recording can be converted to. */
const FORMATS = {
  summary: summaryOf,
  text: toText,
  mermaid: toMermaid,
  svg: toSvg,
  pcapng: toPcapng,
  har: (recording: Recording) => `${safeJson(toHar(recording), 2)}\n`,
} as const;

type Format = keyof typeof FORMATS;

const FLAGS = {
  to: choice(
    Object.keys(FORMATS) as Format[],
    "summary",
    "what to make of it (default summary)",
  ),
  conn: optional(integer("N", [1, 1e9], 1, "only this connection")),
  output: text("FILE", "", "write it in FILE, not on stdout", "o"),
  ...GENERAL_FLAGS,
};

const HELP = `Shows what a recording has, or makes another format of it.

  deno run -A server.ts relay --to localhost:5432 --record x.jsonl   records
  deno run -A client.ts recording x.jsonl                  a summary of each connection
  deno run -A client.ts recording x.jsonl --to text        each step, as arrows
  deno run -A client.ts recording x.jsonl --to pcapng -o x.pcapng
                                                           packets, for Wireshark and tshark
  deno run -A client.ts recording x.jsonl --to svg --conn 1 -o x.svg
                                                           a drawing of one connection
  npx plainsocket client recording x.jsonl                 the same on Node

Usage: client.ts recording FILE [options]

Options:
${renderFlags(FLAGS)}

FILE is '-' for stdin. The packets of pcapng are synthesised: they carry what was recorded, and no
network has seen them.

Exit codes:
${clientExitHelp(["ok", "badInput"])}
`;

/** The command; see the module. */
export const recording: Command = command({
  name: "recording",
  line: commandLine(FLAGS, parseRecording),
  help: HELP,
  run,
});

/** Options of `recording`. */
interface RecordingOptions extends CommandOptions {
  /** `-` is stdin. */
  readonly file: string;
  readonly to: Format;
  /** The number of the one connection to show. Undefined is all. */
  readonly connection: number | undefined;
  /** Undefined is stdout. */
  readonly output: string | undefined;
}

function parseRecording(values: Values<typeof FLAGS>, positionals: string[]): RecordingOptions {
  const { to, conn: connection, output } = values;
  const file = positionals.shift();
  if (file === undefined) throw new UsageError("recording needs a FILE that --record has written");
  noMore(positionals, "recording takes one FILE");
  const isStdout = output === "" || output === "-";
  if (isSameFile(file, output)) {
    throw new UsageError(`Option -o names the recording itself, '${file}': name another file`);
  }
  const ending = extname(output).slice(1).toLowerCase();
  if (ending !== to && Object.hasOwn(FORMATS, ending)) {
    throw new UsageError(`Option -o ${output} needs --to ${ending}, not ${to}`);
  }
  return {
    log: parseLog(values),
    file,
    to,
    connection,
    output: isStdout ? undefined : output,
  };
}

async function run(
  { file, to, connection, output }: RecordingOptions,
  session: Session,
): Promise<number> {
  const { log } = session;
  const whole = await openRecording(file, session);
  if (whole.warning !== undefined) log.note(whole.warning);
  const made = converted(connection === undefined ? whole : only(whole, connection), to);
  if (output === undefined) {
    await log.data(typeof made === "string" ? new TextEncoder().encode(made) : made);
    return EXIT.ok;
  }
  try {
    writeFileSync(output, made);
  } catch (error) {
    throw writeError(output, error);
  }
  return EXIT.ok;
}

/** Makes another format of a recording. Throws a CliError if that is too large. */
function converted(recording: Recording, to: Format): string | Uint8Array {
  try {
    return FORMATS[to](recording);
  } catch (error) {
    // A drawing has a bound, and so has a string.
    if (!(error instanceof RangeError)) throw error;
    const message = `Cannot make ${to} of the recording: ${error.message}. ` +
      "Choose one connection with --conn N, or another format.";
    throw new CliError(EXIT.badInput, message);
  }
}

/** Reads a recording; `-` is stdin. Rejects with a CliError that says what is wrong. */
export async function openRecording(file: string, { io }: Session): Promise<Recording> {
  try {
    return await readRecording(file === "-" ? io.stdin : createReadStream(file));
  } catch (error) {
    const message = error instanceof RecordingError
      ? error.message
      : `Cannot read '${file}': ${whyUnreadable(file, error)}`;
    throw new CliError(EXIT.badInput, message);
  }
}

/** The recording with one connection only. */
function only(recording: Recording, number: number): Recording {
  const connections = connectionsOf(recording);
  const found = connections[number - 1];
  if (found === undefined) {
    throw new UsageError(
      `There is no connection ${number}: the recording has ${connections.length}`,
    );
  }
  const isOf = (event: RecordedEvent) => !("socket" in event) || event.socket === found.socket;
  return { ...recording, events: recording.events.filter(isOf), firstConnection: number };
}
