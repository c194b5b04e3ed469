/**
 * `client.ts resolve HOST:PORT`: what a name stands for, in the order it would be tried, and with
 * `--connect` what comes of trying.
 *
 * @module
 */

import { dial } from "../../../dial.ts";
import { safeJson } from "../../../base/escape.ts";
import type { SocketEvent } from "../../../observe/events.ts";
import { observe } from "../../../observe/observe.ts";
import { systemTransport } from "../../../net/system.deno.ts";
import { parseScopedIP } from "../../../base/ip.ts";
import { type Endpoint, interleave } from "../../../base/addr.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import { noMoreThanEndpoint, parseEndpoint } from "../../options/endpoint.ts";
import {
  INSTRUMENT_FLAGS,
  INSTRUMENT_HELP,
  parseInstruments,
} from "../../options/instrument_flags.ts";
import { openClientTransport } from "../../options/transport.ts";
import { clientExitHelp, EXIT } from "../../io/exit.ts";
import { renderFlags, seconds, toggle, UsageError, type Values } from "../../io/flags.ts";
import { inTime } from "../../../base/wait.ts";
import { Race } from "./race.ts";
import { addressJson, addressTable, raceJson, raceTable, systemOrder } from "./table.ts";
import type { Session } from "../../session.ts";
import { clientTranscript } from "../../io/transcript.ts";

const FLAGS = {
  connect: toggle("try them, and tell which one wins and why"),
  "connect-timeout": seconds(10, "to resolve the name and connect; 0 = no limit (default 10)"),
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

const HELP = `The addresses of a name, in the order they are tried.

  deno run -A client.ts resolve localhost:80              what getaddrinfo(3) says of it
  deno run -A client.ts resolve localhost                 without a port, too
  deno run -A client.ts resolve --connect localhost:80    and which of them a connection goes to
  deno run -A client.ts resolve --connect --log json '[::1]:80'
  deno run -A client.ts resolve --connect localhost:80 --fault 'conn=1: refuse'
                                                          what if the first one fails
  npx plainsocket client resolve localhost:80             the same on Node

Usage: client.ts resolve HOST[:PORT] [options]

Options:
${renderFlags(FLAGS)}

stdout gets a table or, with --log json, one JSON object. All else goes to stderr.

IPv6 and IPv4 take turns, beginning with the family that the system has first. All the clients here
try them so (Happy Eyeballs, RFC 8305): the next one 250 ms after the last, or as soon as that
failed. The first to answer wins, and the others are given up. --connect does the same, closes the
connection, and tells of each address when the attempt began and ended, in milliseconds since the
addresses were known.

${INSTRUMENT_HELP}

Exit codes:
${clientExitHelp(["ok", "notConnected", "timeout"])}
`;

/** The command; see the module. */
export const resolve: Command = command({
  name: "resolve",
  line: commandLine(FLAGS, parseResolve),
  help: HELP,
  hints: async () => (await import("../../advice/foreign_options.ts")).RESOLVE_HINTS,
  run,
});

/** Options of `resolve`. */
interface ResolveOptions extends CommandOptions {
  readonly endpoint: Endpoint;
  /** Whether the addresses are tried. */
  readonly connect: boolean;
  /** The time that it may take, in milliseconds; 0 for no limit. */
  readonly timeout: number;
}

function parseResolve(values: Values<typeof FLAGS>, positionals: string[]): ResolveOptions {
  const { connect, "connect-timeout": timeout } = values;
  const instruments = parseInstruments(values);
  const { record, fault, watch } = instruments;
  if (!connect && (record ?? fault ?? watch) !== undefined) {
    throw new UsageError("Options --record, --fault and --watch go with --connect");
  }
  const text = positionals.shift();
  if (text === undefined) {
    throw new UsageError("resolve needs HOST or HOST:PORT, as in localhost:80");
  }
  noMoreThanEndpoint(text, positionals, "resolve takes one HOST:PORT");
  const endpoint = connect ? parseEndpoint(text) : hostOf(text) ?? parseEndpoint(text);
  return { log: parseLog(values), instruments, endpoint, connect, timeout };
}

async function run(options: ResolveOptions, session: Session): Promise<number> {
  const { signal, exitCode } = session.onSignals();
  try {
    if (options.connect) await logRace(options, session, signal);
    else await logAddresses(options, session, signal);
    return EXIT.ok;
  } catch (error) {
    if (signal.aborted) return exitCode();
    throw error;
  }
}

/** The endpoint of a host without a port, which then is 0; undefined if it is something else. */
function hostOf(text: string): Endpoint | undefined {
  const match = /^(?:\[(.*)\]|.*:.*)$/.exec(text);
  const address = match === null ? undefined : match[1] ?? text;
  if (address === undefined) {
    return /^[^\s/?#@[\]]*[^\s/?#@[\]\d][^\s/?#@[\]]*$/.test(text)
      ? { host: text, port: 0 }
      : undefined;
  }
  // "::1:80" is an address, too, but who writes it means the port.
  const [, before] = /^(.*):\d+$/.exec(text) ?? [];
  if (before !== undefined && parseScopedIP(before) !== undefined) return undefined;
  return parseScopedIP(address) === undefined ? undefined : { host: address, port: 0 };
}

async function logAddresses(
  { endpoint, timeout }: ResolveOptions,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  const limits = { timeout, signal, clock: session.io.clock };
  const found = await inTime(
    limits,
    (signal) => systemTransport.resolve({ ...endpoint, signal }),
  );
  const addrs = interleave(found);
  await session.print(
    session.log.json ? jsonLine(addressJson(endpoint, addrs)) : addressTable(addrs),
  );
  const order = systemOrder(found);
  if (order !== undefined) session.log.note(order);
}

async function logRace(
  { endpoint, timeout }: ResolveOptions,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  const race = new Race();
  const { io: { clock } } = session;
  const sockets = openClientTransport(session, clientTranscript());
  const transport = observe(sockets, (event: SocketEvent) => race.record(event), clock);
  try {
    (await dial(transport, { ...endpoint, timeout, signal, clock })).close();
  } finally {
    // When all have failed this reports each one, before the error reports all.
    const candidates = race.finish(clock.now());
    if (candidates.length > 0) {
      await session.print(
        session.log.json ? jsonLine(raceJson(endpoint, candidates)) : raceTable(candidates),
      );
    }
  }
}

function jsonLine(value: unknown): string {
  return `${safeJson(value)}\n`;
}
