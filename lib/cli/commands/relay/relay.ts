/**
 * `server.ts relay --to TARGET`: a port that leads to another one.
 *
 * @module
 */

import { systemTransport } from "../../../net/system.deno.ts";
import { ACCESS_HELP } from "../../options/access_flags.ts";
import { METRICS_HELP } from "../../options/metrics.ts";
import { SERVICE_HELP } from "../../options/service_manager.ts";
import { TLS_HELP } from "../../options/tls_server.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import {
  INSTRUMENT_FLAGS,
  INSTRUMENT_HELP,
  parseInstruments,
} from "../../options/instrument_flags.ts";
import { GENERAL_FLAGS, noMore, parseLog } from "../../options/common.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { relayAdvice } from "../../advice/first_word.ts";
import { renderFlags, UsageError, type Values } from "../../io/flags.ts";
import { RELAY_HINTS } from "../../advice/foreign_options.ts";
import { handlerTo } from "./handler.ts";
import { refuseItself } from "./own_target.ts";
import {
  type MessageOptions,
  ORIGIN_HELP,
  parseMessageOptions,
  webSocketFlags,
} from "../web_socket/options.ts";
import {
  describeTo,
  parseTo,
  placesOf,
  readsTargets,
  RELAY_TARGET_FLAGS,
  type RelayTo,
} from "./targets.ts";
import { parseToxiproxy, TOXIPROXY_FLAGS } from "./toxiproxy/flags.ts";
import type { ToxiproxyContext, ToxiproxyOptions } from "./toxiproxy/server.ts";
import { parseProxies, PROXY_HELP } from "../../options/proxy_protocol.ts";
import {
  parseServing,
  permissionsHelp,
  servingFlags,
  type ServingOptions,
} from "../../options/serving.ts";
import {
  parseWorkers,
  WORKER_FLAGS,
  type WorkerOptions,
  WORKERS_HELP,
} from "../../options/workers.ts";
import { openAccess } from "../../serving/access_reload.ts";
import { openListener, serveUntilStopped } from "../../serving/serving.ts";
import { Shortage } from "../../serving/resource_shortage.ts";
import { conclude, logStop } from "../../serving/server_log.ts";
import { openObserved } from "../../options/transport.ts";
import type { Session } from "../../session.ts";
import { switchboardTranscript } from "../../io/transcript.ts";

const PORT = 10001;

const FLAGS = {
  ...RELAY_TARGET_FLAGS,
  ...webSocketFlags("take clients that speak WebSocket, in binary messages"),
  ...servingFlags(PORT),
  ...WORKER_FLAGS,
  ...INSTRUMENT_FLAGS,
  ...TOXIPROXY_FLAGS,
  ...GENERAL_FLAGS,
};

/** The options that mean nothing with --ws, or are about bytes. */
const NOT_WITH_WS = ["toxiproxy-api", "idle-timeout"] as const;

const HELP = `Joins each client to a connection of its own to a target, or to one of several.

  deno run -A server.ts relay --to localhost:10000              to another port
  deno run -A server.ts relay --to localhost:80 --port 8443 --tls-self-signed
                                                                TLS in front of a plain server
  deno run -A server.ts relay --to tls:example.com:443          plain in front of TLS
  deno run -A server.ts relay --to unix:/run/app.sock           a Unix socket for the network
  deno run -A server.ts relay --to localhost:5432 --unix db.sock
  deno run -A server.ts relay --to a:80 --to b:80 --to c:80     each client to one of three
  deno run -A server.ts relay --to @targets.txt                 those in a file, one a line
  deno run -A server.ts relay --to a:80 --send-proxy v2         says first who the client is
  deno run -A server.ts relay --ws --to localhost:5900          for browsers, as websockify
  deno run -A server.ts relay --to ws://localhost:8080/         for programs without WebSocket
  deno run -A server.ts relay --toxiproxy-api 8474              relays as toxiproxy's clients say
  npx plainsocket server relay --to localhost:10000             the same on Node

Usage: server.ts relay --to TARGET [options]
       server.ts relay --toxiproxy-api PORT [options]

Options:
${renderFlags(FLAGS)}

A side that reads slowly holds the other one back. The end of one side's stream is passed on while
the other goes on. A reset of one side resets the other; a target that cannot be reached resets the
client. (Deno cannot reset, and closes.) --idle-timeout is for both directions together.

Of several targets a client gets the one with the fewest connections. Each is checked by connecting,
at once and every --check-interval. One that cannot be connected to is down, and the client gets the
next one; once a target is connected, no other is tried. If all are down, each is tried. --to @FILE
has one target a line, with # before a comment. SIGHUP reads it again: a target that is not there
any more gets no new client, and keeps those that it has until they end. Options of TLS are for all
targets with tls:. A ws:// target is the only one. With --workers, each worker checks and counts.

--send-proxy sends a header of the PROXY protocol with the client's address before the first byte,
also before TLS. The target must expect it.

A WebSocket carries the bytes in binary messages, cut anywhere; a text is its UTF-8. It has no
half-close: the end of the target closes it with 1000, and what it still sends is lost; the end of a
client closes a target once that has answered a Ping and nothing has come for 0.5 s; when it closes,
the other side gets FIN. --ws goes without --toxiproxy-api and --idle-timeout: silent clients get a
Ping every 30 s.
${ORIGIN_HELP}

stdout gets one line: the URL it listens at. stderr gets a line for each conversation when it has
ended: the bytes each way, the time, and what went wrong if something did. Ctrl-C or SIGTERM stops
accepting and lets connections finish for the time of --grace, then resets them; again ends at once.

${TLS_HELP}

${ACCESS_HELP}

${PROXY_HELP}

${SERVICE_HELP}

${METRICS_HELP}

${WORKERS_HELP}

${permissionsHelp("--allow-net=127.0.0.1:10001 --allow-net=HOST:PORT of the target")}

${INSTRUMENT_HELP}

--toxiproxy-api has the HTTP API of toxiproxy, whose clients make proxies and break their
connections with toxics. Its URL is a line on stdout, too. The limits and networks are also those of
the proxies. --seed N gives toxics to the same connections as in the run with this seed.

Exit codes:
${SERVER_EXIT_HELP}
`;

/** The command. */
export const relay: Command = command({
  name: "relay",
  line: commandLine(FLAGS, parseRelay),
  help: HELP,
  hints: RELAY_HINTS,
  run,
});

/** Options of the relay. */
interface RelayOptions extends CommandOptions {
  /** Undefined if all relays are made by the API. */
  readonly to: RelayTo | undefined;
  /** How clients speak WebSocket. Undefined is bytes. */
  readonly messages: MessageOptions | undefined;
  /** Undefined: no API. */
  readonly toxiproxy: ToxiproxyOptions | undefined;
  readonly serving: ServingOptions;
  readonly workers: WorkerOptions | undefined;
}

function parseRelay(values: Values<typeof FLAGS>, positionals: readonly string[]): RelayOptions {
  noMore(positionals, relayAdvice(positionals, values.to.length > 0));
  const serving = parseServing(values, PORT);
  const toxiproxy = parseToxiproxy(values, serving);
  const hasNone = toxiproxy !== undefined && values.to.length === 0;
  const to = hasNone ? undefined : parseTo(values, serving.place);
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { serves: true, workers: values.workers }),
    proxies: parseProxies(values),
    to,
    messages: parseWs(values),
    toxiproxy,
    serving,
    workers: parseWorkers(values, serving.access, { items: values.to }),
  };
}

function parseWs(values: Values<typeof FLAGS>): MessageOptions | undefined {
  if (!values.ws) return undefined;
  const given = NOT_WITH_WS.find((name) => values[name] !== FLAGS[name].fallback);
  if (given !== undefined) throw new UsageError(`Option --ws goes without --${given}`);
  return parseMessageOptions(values);
}

async function run(
  { to, messages, toxiproxy, serving, workers, ...options }: RelayOptions,
  session: Session,
): Promise<number> {
  const { log, io: { clock } } = session;
  for (const target of to === undefined ? [] : placesOf(to)) {
    await refuseItself(serving.place, target, systemTransport);
  }
  const signals = session.onSignals();
  if (to !== undefined && workers !== undefined) {
    log.note(`relaying to ${describeTo(to)}`);
    const init = { ...serving, workers, log: options.log, rereads: readsTargets(to) };
    if (messages !== undefined) {
      const { relayInWorkers } = await import("./web_socket_server.ts");
      return await relayInWorkers({ to, messages }, init, session, signals);
    }
    const { serveInWorkers } = await import("../../serving/workers.ts");
    const { WORKER_MODULE } = await import("./worker.ts");
    const more = { module: WORKER_MODULE, conversations: to };
    return await serveInWorkers({ ...init, ...more }, session, signals);
  }
  // Faults are for the clients: the target is the other end of the same stream.
  const transport = new Shortage(log, clock).watch(
    openObserved(session, switchboardTranscript(), {
      words: { sides: ["client", "relay", "target"] },
    }),
  );
  const listening = session.instruments.withFaults(transport, clock);
  const context = { session, signals, transport, listening };
  if (to === undefined) return await serveToxiproxy(toxiproxy!, serving, context);
  if (messages !== undefined) {
    const { relayWebSockets } = await import("./web_socket_server.ts");
    return await relayWebSockets({ to, messages }, serving, context);
  }
  const opened = await openListener(serving, session, listening);
  log.note(`relaying to ${describeTo(to)}`);
  const proxies = toxiproxy && await start(toxiproxy, { ...context, access: opened.access });
  const handler = await handlerTo(to, log, transport, clock, session);
  const code = await serveUntilStopped(opened, handler, serving.limits, session, signals);
  await proxies?.finished;
  return code;
}

/** Serves what the API asks for, and nothing else, until a signal says stop. */
async function serveToxiproxy(
  toxiproxy: ToxiproxyOptions,
  { access: who, limits }: ServingOptions,
  context: Omit<ToxiproxyContext, "access">,
): Promise<number> {
  const { session, signals } = context;
  const access = openAccess(who, session.log, (reload) => session.onReload(reload));
  const { finished } = await start(toxiproxy, { ...context, access });
  logStop("connections", limits.drainTimeout, session.log, signals);
  return conclude(await finished, access, session.log, signals);
}

/** Starts the API, which is loaded only then. */
async function start(
  options: ToxiproxyOptions,
  context: ToxiproxyContext,
): ReturnType<typeof import("./toxiproxy/server.ts").startToxiproxy> {
  const { startToxiproxy } = await import("./toxiproxy/server.ts");
  return await startToxiproxy(options, context);
}
