/**
 * `client.ts explain HOST:PORT`: whether a server can be reached, and if not, why.
 *
 * @module
 */

import { type Endpoint, interleave, type TcpAddr } from "../../../base/addr.ts";
import { inTime } from "../../../base/wait.ts";
import { safeJson } from "../../../base/escape.ts";
import { SocketError } from "../../../base/errors.ts";
import { dial } from "../../../dial.ts";
import type { Transport } from "../../../net/transport.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import { causeOf } from "../../explain/explain.ts";
import { type Manner, mannerOf } from "../../explain/next_command.ts";
import { type Speech, speechOf } from "../../explain/server_protocol.ts";
import { clientExitHelp, EXIT } from "../../io/exit.ts";
import { renderFlags, seconds, UsageError, type Values } from "../../io/flags.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import { noMoreThanEndpoint, parseEndpoint } from "../../options/endpoint.ts";
import { openClientTransport } from "../../options/transport.ts";
import { asCalled } from "../../program.ts";
import type { Session } from "../../session.ts";
import { type Report, reportJson, reportText, type Tried } from "./report.ts";

const FLAGS = {
  "connect-timeout": seconds(3, "to resolve the name and connect; 0 = no limit (default 3)"),
  ...GENERAL_FLAGS,
};

const HELP = `Checks whether a server can be reached, and why not.

  deno run -A client.ts explain localhost:10000    a report, from the name to what is spoken
  deno run -A client.ts explain --log json '[::1]:80'
  npx plainsocket client explain localhost:10000   the same on Node

Usage: client.ts explain HOST:PORT [options]

Options:
${renderFlags(FLAGS)}

It looks the name up, connects to each of its addresses, and begins TLS with the first that answers
to see what is spoken there: TLS, HTTP or something else. Where no address answers it looks for the
cause on this machine: who listens near, whose queue is full, what a file says of the name. It
connects to that host and port only.

stdout gets the report or, with --log json, one JSON object. docs/explain.md has each cause.

Exit codes:
${clientExitHelp(["ok", "unreachable"])}
`;

/** The command; see the module. */
export const explain: Command = command({
  name: "explain",
  line: commandLine(FLAGS, parseExplain),
  help: HELP,
  run,
});

/** Options of `explain`. */
interface ExplainOptions extends CommandOptions {
  readonly endpoint: Endpoint;
  /** The time to connect, in milliseconds; 0 for no limit. */
  readonly timeout: number;
}

function parseExplain(values: Values<typeof FLAGS>, positionals: string[]): ExplainOptions {
  const [place, ...more] = positionals;
  if (place === undefined) throw new UsageError("explain needs HOST:PORT");
  noMoreThanEndpoint(place, more, "explain takes one HOST:PORT");
  return {
    log: parseLog(values),
    endpoint: parseEndpoint(place),
    timeout: values["connect-timeout"],
  };
}

/** The most addresses of a name that are tried. */
const MOST_ADDRESSES = 8;

/** The time that a server may take to answer, in milliseconds. */
const ANSWER_MS = 1000;

async function run(options: ExplainOptions, session: Session): Promise<number> {
  const { signal, exitCode } = session.onSignals();
  const client = asCalled("client.ts", session.prefix);
  const manner = mannerOf(client, `${client} explain`);
  try {
    const report = await reportOf(options, session, signal, manner);
    const text = session.log.json
      ? `${safeJson(reportJson(report))}\n`
      : reportText(report, manner);
    await session.print(text);
    if (report.unresolved !== undefined) return EXIT.notResolved;
    return report.tried.some(({ took }) => took !== undefined) ? EXIT.ok : EXIT.unreachable;
  } catch (error) {
    if (signal.aborted) return exitCode();
    throw error;
  }
}

async function reportOf(
  { endpoint, timeout }: ExplainOptions,
  session: Session,
  signal: AbortSignal,
  manner: Manner,
): Promise<Report> {
  const { clock } = session.io;
  const transport = openClientTransport(session, clientTranscript());
  const limits = { timeout, signal, clock };
  let addrs: readonly TcpAddr[];
  try {
    const look = (signal: AbortSignal) => transport.resolve({ ...endpoint, signal });
    addrs = interleave(await inTime(limits, look)).slice(0, MOST_ADDRESSES);
  } catch (error) {
    if (signal.aborted || !(error instanceof SocketError)) throw error;
    const cause = await causeOf(error, session.attempt, manner);
    return { endpoint, tried: [], unresolved: { error, cause }, speech: undefined };
  }
  const tried = await Promise.all(addrs.map(async (addr): Promise<Tried> => {
    const began = clock.now();
    try {
      (await dial(transport, { ...addr, ...limits })).close();
      return { addr, took: clock.now() - began };
    } catch (error) {
      if (signal.aborted || !(error instanceof SocketError)) throw error;
      return { addr, error, cause: await causeOf(error, session.attempt, manner) };
    }
  }));
  const reached = tried.find(({ took }) => took !== undefined)?.addr;
  const speech = reached && await spoken(transport, reached, endpoint.host, signal);
  return { endpoint, tried, unresolved: undefined, speech };
}

/** Finds the protocol that a server speaks. Undefined if it does not take a second connection. */
async function spoken(
  transport: Transport,
  addr: TcpAddr,
  host: string,
  signal: AbortSignal,
): Promise<Speech | undefined> {
  const limits = { signal, timeout: ANSWER_MS };
  try {
    return await inTime(limits, (signal) => speechOf(transport, addr, host, signal));
  } catch (error) {
    if (error instanceof SocketError) return undefined;
    throw error;
  }
}
