/**
 * `server.ts chat`: a room for all who connect.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import { chat as chatRoom, type ChatEvent } from "../../../protocols/chat/chat.ts";
import { ACCESS_HELP } from "../../options/access.ts";
import { type Command, command } from "../../command.ts";
import { INSTRUMENT_FLAGS, INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { GENERAL_FLAGS, noMore } from "../../options/common.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { placeAdvice } from "../../advice/first_word.ts";
import { renderFlags, seconds, type Values } from "../../io/flags.ts";
import { CHAT_HINTS } from "../../advice/hints.ts";
import type { Log } from "../../io/log.ts";
import type { Session } from "../../session.ts";
import { openListener, serveUntilStopped, servingFlags } from "../../serving/serving.ts";
import { openServerTransport } from "../../serving/shortage.ts";
import { switchboardTranscript } from "../../io/transcript.ts";

const PORT = 10002;

const FLAGS = {
  ...servingFlags(PORT),
  // In a quiet room everybody is silent.
  "idle-timeout": seconds(0, "close a silent connection; 0 = never (default 0)"),
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

const HELP = `Lets all who connect talk to each other, in lines.

  deno run -A server.ts chat                     a room on localhost port ${PORT}
  deno run -A server.ts chat --host ''           for other machines, too
  deno run -A server.ts chat --tls-self-signed   that nobody else can read
  nc localhost ${PORT}                             comes in; so do telnet, socat, ncat --ssl…
  npx plainsocket server chat                    the same on Node

Usage: server.ts chat [options]

A line goes to all others, with the name of who said it; '/nick NAME' takes another name, '/quit'
leaves. Lines are UTF-8 of at most 1000 bytes, and control characters in them arrive escaped.
Telnet's commands are no text. Whoever does not read what the others say is dropped when 256 KiB
wait, and holds up nobody.

Options:
${renderFlags(FLAGS)}

stdout gets one line: the URL it listens at. stderr tells who comes and goes, but not what is said.
Ctrl-C or SIGTERM tells everybody and stops; again ends at once.

${ACCESS_HELP}

${INSTRUMENT_HELP}

Exit codes:
${SERVER_EXIT_HELP}
`;

/** The command. */
export const chat: Command = command({
  name: "chat",
  flags: FLAGS,
  help: HELP,
  hints: CHAT_HINTS,
  run,
});

async function run(
  values: Values<typeof FLAGS>,
  positionals: string[],
  session: Session,
): Promise<number> {
  noMore(positionals, placeAdvice(positionals) ?? "chat takes options only");
  const signals = session.onSignals();
  const log = session.openLog(values);
  const transport = openServerTransport(session, switchboardTranscript());
  const opened = await openListener(values, PORT, session, transport);
  const { signal } = signals;
  const { clock } = session.io;
  const handler = chatRoom({ signal, clock, onEvent: (event) => tell(log, event) });
  return await serveUntilStopped(opened, handler, values, session, signals);
}

function tell(log: Log, event: ChatEvent): void {
  const { type, name } = event;
  if (type === "rename") {
    const { newName } = event;
    return log.event(`${name} is ${newName} now`, { event: type, name, newName });
  }
  const client = formatAddr(event.client);
  const line = type === "join" ? `${name} is here, from ${client}` : `${name} has left`;
  log.event(line, { event: type, name, client });
}
