/**
 * `server.ts chat`: a room for all who connect.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import { chat as chatRoom, type ChatEvent } from "../../../protocols/chat/mod.ts";
import { ACCESS_HELP } from "../../options/access.ts";
import { TLS_HELP } from "../../options/tls_server.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import {
  INSTRUMENT_FLAGS,
  INSTRUMENT_HELP,
  parseInstruments,
} from "../../options/instrument_flags.ts";
import { GENERAL_FLAGS, noMore, parseLog } from "../../options/common.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { placeAdvice } from "../../advice/first_word.ts";
import { renderFlags, seconds, type Values } from "../../io/flags.ts";
import { CHAT_HINTS } from "../../advice/hints.ts";
import type { Log } from "../../io/log.ts";
import type { Session } from "../../session.ts";
import { parseServing, servingFlags, type ServingOptions } from "../../options/serving.ts";
import { openListener, serveUntilStopped } from "../../serving/serving.ts";
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

${TLS_HELP}

${ACCESS_HELP}

${INSTRUMENT_HELP}

Exit codes:
${SERVER_EXIT_HELP}
`;

/** The command. */
export const chat: Command = command({
  name: "chat",
  line: commandLine(FLAGS, parseChat),
  help: HELP,
  hints: CHAT_HINTS,
  run,
});

/** What the chat takes. */
interface ChatOptions extends CommandOptions {
  readonly serving: ServingOptions;
}

function parseChat(values: Values<typeof FLAGS>, positionals: readonly string[]): ChatOptions {
  noMore(positionals, placeAdvice(positionals) ?? "chat takes options only");
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { serves: true }),
    serving: parseServing(values, PORT),
  };
}

async function run({ serving }: ChatOptions, session: Session): Promise<number> {
  const { log, io: { clock } } = session;
  const signals = session.onSignals();
  const names = new Names();
  const words = { nameOf: (client: string) => names.of(client) };
  const transport = openServerTransport(session, switchboardTranscript(), { words });
  const opened = await openListener(serving, session, transport);
  const { signal } = signals;
  const onEvent = (event: ChatEvent) => {
    names.heed(event);
    tell(log, event);
  };
  const handler = chatRoom({ signal, clock, onEvent });
  return await serveUntilStopped(opened, handler, serving.limits, session, signals);
}

/** The names of those in the room, by their addresses. */
class Names {
  readonly #names = new Map<string, string>();

  of(client: string): string | undefined {
    return this.#names.get(client);
  }

  heed(event: ChatEvent): void {
    if (event.type === "join") this.#names.set(formatAddr(event.client), event.name);
    else if (event.type === "leave") this.#names.delete(formatAddr(event.client));
    else {
      const [client] = [...this.#names].find(([, name]) => name === event.name) ?? [];
      if (client !== undefined) this.#names.set(client, event.newName);
    }
  }
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
