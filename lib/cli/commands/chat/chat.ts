/**
 * `server.ts chat`: a room for all who connect.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import { type ChatEvent, chatRoom } from "../../../protocols/chat/mod.ts";
import { ACCESS_HELP } from "../../options/access_flags.ts";
import { METRICS_HELP } from "../../options/metrics.ts";
import { SERVICE_HELP } from "../../options/service_manager.ts";
import { TLS_HELP } from "../../options/tls_server.ts";
import {
  type Command,
  command,
  commandLine,
  type CommandOptions,
  optionsOnly,
} from "../../command.ts";
import {
  INSTRUMENT_FLAGS,
  INSTRUMENT_HELP,
  parseInstruments,
} from "../../options/instrument_flags.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { renderFlags, seconds, type Values } from "../../io/flags.ts";
import type { Log } from "../../io/log.ts";
import type { Session } from "../../session.ts";
import { parseProxies, PROXY_HELP } from "../../options/proxy_protocol.ts";
import {
  parseServing,
  permissionsHelp,
  servingFlags,
  type ServingOptions,
} from "../../options/serving.ts";
import { listenAsPlanned, planListening, serveAt } from "../../serving/serving.ts";
import { openServerTransport } from "../../serving/resource_shortage.ts";
import { conclude, logStop } from "../../serving/server_log.ts";
import { ORIGIN_HELP } from "../../web_socket/options.ts";
import { BUS_FLAGS, BUS_HELP, type BusOptions, openBus, parseBus } from "./bus.ts";
import { openPage, PAGE_FLAGS, type PageOptions, parsePage } from "./page.ts";
import { switchboardTranscript } from "../../io/transcript.ts";

const PORT = 10002;

const FLAGS = {
  ...servingFlags(PORT),
  // In a quiet room everybody is silent.
  "idle-timeout": seconds(0, "close a silent connection; 0 = never (default 0)"),
  ...PAGE_FLAGS,
  ...BUS_FLAGS,
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

const HELP = `Lets all who connect talk to each other, in lines.

  deno run -A server.ts chat                     a room on localhost port ${PORT}
  deno run -A server.ts chat --host ''           for other machines, too
  deno run -A server.ts chat --tls-self-signed   that nobody else can read
  deno run -A server.ts chat --ws                for browsers, too, at http://localhost:${PORT + 1}/
  deno run -A server.ts chat --bus nats://HOST   one room on several servers
  nc localhost ${PORT}                             comes in; so do telnet, socat, ncat --ssl…
  npx plainsocket server chat                    the same on Node

Usage: server.ts chat [options]

A line goes to all others, with the name of who said it; '/nick NAME' takes another name, '/quit'
leaves. Lines are UTF-8 of at most 1000 bytes, and control characters in them arrive escaped.
Telnet's commands are not text. A client that does not read is dropped when 256 KiB wait for it,
and holds up nobody.

Options:
${renderFlags(FLAGS)}

With --ws the room has a page, at a port of its own: on the other one the server speaks first.
Networks, TLS and the limits hold for both ports; --idle-timeout is for terminals, since the page is
found to be gone when it does not answer a Ping for 30 s. Programs may connect to /ws of the page's
port as a WebSocket: they say lines as texts, and hear JSON.
${ORIGIN_HELP}

${BUS_HELP}

stdout gets the URL it listens at, and with --ws that of the page on a second line. stderr tells
who comes and goes, but not what is said. Ctrl-C or SIGTERM tells everybody and stops; again ends
at once.

${TLS_HELP}

${ACCESS_HELP}

${PROXY_HELP}

${SERVICE_HELP}

${permissionsHelp(`--allow-net=127.0.0.1:${PORT}`)}

${METRICS_HELP}

${INSTRUMENT_HELP}

Exit codes:
${SERVER_EXIT_HELP}
`;

/** The command. */
export const chat: Command = command({
  name: "chat",
  line: commandLine(FLAGS, parseChat),
  help: HELP,
  hints: async () => (await import("../../advice/foreign_options.ts")).CHAT_HINTS,
  run,
});

/** Options of the chat. */
interface ChatOptions extends CommandOptions {
  readonly serving: ServingOptions;
  /** The page. Undefined without `--ws`. */
  readonly page: PageOptions | undefined;
  readonly bus: BusOptions;
}

async function parseChat(
  values: Values<typeof FLAGS>,
  positionals: readonly string[],
): Promise<ChatOptions> {
  await optionsOnly(positionals, "chat takes options only");
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { serves: true }),
    proxies: parseProxies(values),
    serving: parseServing(values, PORT),
    page: parsePage(values),
    bus: parseBus(values),
  };
}

async function run(
  { serving, page, bus: busOptions }: ChatOptions,
  session: Session,
): Promise<number> {
  const { log, io: { clock } } = session;
  const signals = session.onSignals();
  const names = new Names();
  const words = { nameOf: (client: string) => names.of(client) };
  const transport = openServerTransport(session, switchboardTranscript(), { words });
  const { bus, closed } = await openBus(busOptions, session);
  const plan = await planListening(serving, session);
  const opened = await listenAsPlanned(plan, session, transport);
  const { signal } = signals;
  const onEvent = (event: ChatEvent) => {
    names.heed(event);
    logEvent(log, event);
  };
  const room = chatRoom({ signal, clock, onEvent, bus });
  const { limits } = serving;
  const pages = page &&
    // Its port is its own, also where systemd has passed a socket for the terminals.
    await openPage(page, {
      plan: { ...plan, name: "page", listenAddress: serving.listenAddress },
      terminals: opened.listener,
      transport,
      session,
    });
  logStop("members", limits.drainTimeout, log, signals);
  const [terminals, browsers] = await Promise.all([
    serveAt(opened, room.handler, limits, session, signals),
    pages?.serve(room, limits, signals),
  ]);
  await closed;
  const summary = {
    accepted: terminals.accepted + (browsers?.accepted ?? 0),
    reset: terminals.reset + (browsers?.reset ?? 0),
  };
  return conclude(summary, opened.access, log, signals);
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

function logEvent(log: Log, event: ChatEvent): void {
  const { type, name } = event;
  if (type === "rename") {
    const { newName } = event;
    return log.event(`${name} is ${newName} now`, { event: type, name, newName });
  }
  const client = formatAddr(event.client);
  const line = type === "join" ? `${name} is here, from ${client}` : `${name} has left`;
  log.event(line, { event: type, name, client });
}
