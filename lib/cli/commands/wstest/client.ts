/**
 * `client.ts wstest URL`: does a WebSocket server keep the protocol?
 *
 * @module
 */

import { counted } from "../../../base/counted.ts";
import { RequestError } from "../../../http/client/errors.ts";
import { endpointOf, withoutCredentials } from "../../../base/url.ts";
import { parseUrl } from "../../../http/client/url.ts";
import { type Command, command, commandLine, type CommandOptions } from "../../command.ts";
import { clientExitHelp, CliError, EXIT } from "../../io/exit.ts";
import { integer, renderFlags, seconds, toggle, UsageError, type Values } from "../../io/flags.ts";
import { clientTranscript } from "../../io/transcript.ts";
import { GENERAL_FLAGS, noMore, parseLog } from "../../options/common.ts";
import {
  INSTRUMENT_FLAGS,
  INSTRUMENT_HELP,
  parseInstruments,
} from "../../options/instrument_flags.ts";
import { parseTrust, TRUST_FLAGS } from "../../options/tls_client.ts";
import { openClientTransport } from "../../options/transport.ts";
import type { Session } from "../../session.ts";
import { checkTimeout, JSON_FLAG, ONLY_FLAG, TIMEOUT_FLAG, writeJson } from "./common.ts";
import { allResults, countVerdicts, reportJson, reportText } from "./report.ts";
import { runAll, whyUntestable } from "./run_all.ts";
import type { Target } from "./run_case.ts";
import { listText, selectedSections } from "./selection.ts";
import type { Section } from "./case.ts";

const FLAGS = {
  only: ONLY_FLAG,
  list: toggle("show the cases, and run none"),
  json: JSON_FLAG,
  timeout: TIMEOUT_FLAG,
  "max-time": seconds(
    300,
    "for all cases; the rest is skipped; 0 = no limit (default 300)",
  ),
  parallel: integer(
    "N",
    [1, 64],
    8,
    "the number of cases at the same time (default 8)",
  ),
  ...TRUST_FLAGS,
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

const HELP = `Tests whether a WebSocket server keeps the protocol (RFC 6455 and RFC 7692).

  deno run -A client.ts wstest ws://localhost:9001/       all cases
  deno run -A client.ts wstest wss://host/echo -k         over TLS, with any certificate
  deno run -A client.ts wstest ws://localhost:9001/ --only 5      the section on UTF-8
  deno run -A client.ts wstest ws://localhost:9001/ --only ping   what is about Ping
  deno run -A client.ts wstest ws://localhost:9001/ --json report.json
  deno run -A client.ts wstest --list                     what is tested
  npx plainsocket client wstest ws://localhost:9001/      the same on Node

Usage: client.ts wstest URL [options]

The server must send back each message that it gets, text as text and binary as binary. Each case
has a connection of its own, on which it sends right or wrong bytes and judges what comes back:

  passed      as the RFC says
  non-strict  allowed, but not what the RFC recommends, such as another close code
  failed      not allowed
  skipped     the server does not take the extension, or --max-time was over

Test only servers of your own: many cases send what the protocol forbids.

Options:
${renderFlags(FLAGS)}

stdout gets the report. All else goes to stderr. 'server.ts wstest' tests clients.

${INSTRUMENT_HELP}

Exit codes:
${
  clientExitHelp([
    "ok",
    "badUrl",
    "notConnected",
    "refused",
    "timeout",
    "tlsFailed",
    "badCertificate",
  ], {
    differed: "at least one case failed",
    refused: "the server opens no WebSocket, or does not send back messages",
  })
}
`;

/** The command; see the module. */
export const wstest: Command = command({
  name: "wstest",
  line: commandLine(FLAGS, parseWstest),
  help: HELP,
  run,
});

/** Options of `wstest`. */
interface WstestOptions extends CommandOptions {
  readonly sections: readonly Section[];
  /** The server. Undefined only lists the cases. */
  readonly url: URL | undefined;
  readonly tls: ReturnType<typeof parseTrust>;
  /** The file for JSON: `-` is stdout, and "" writes no JSON. */
  readonly json: string;
  /** The time for a case, in milliseconds. */
  readonly timeout: number;
  /** For all cases, in milliseconds. 0 is no limit. */
  readonly maxTime: number;
  readonly parallel: number;
}

function parseWstest(values: Values<typeof FLAGS>, positionals: string[]): WstestOptions {
  const given = positionals.shift();
  noMore(positionals, "wstest takes one URL");
  if (values.list && given !== undefined) {
    throw new UsageError("Option --list cannot be used with a URL");
  }
  if (!values.list && given === undefined) {
    throw new UsageError("wstest needs a URL, as ws://localhost:9001/");
  }
  return {
    log: parseLog(values),
    instruments: parseInstruments(values),
    sections: selectedSections("server", values.only),
    url: given === undefined ? undefined : urlOf(given),
    tls: parseTrust(values),
    json: values.json,
    timeout: checkTimeout(values.timeout),
    maxTime: values["max-time"],
    parallel: values.parallel,
  };
}

/** The URL with the scheme of HTTP that its own stands for. */
function urlOf(text: string): URL {
  try {
    if (!/^(ws|http)s?:\/\//i.test(text)) {
      throw new UsageError(`'${text}' is not a URL of a WebSocket: write ws://HOST:PORT/`);
    }
    return parseUrl(text.replace(/^ws/i, "http"));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new CliError(EXIT.badUrl, error.message, { cause: error });
  }
}

function targetOf(url: URL, tls: WstestOptions["tls"]): Target {
  return {
    destination: { ...endpointOf(url), ...url.protocol === "https:" && { tls } },
    host: url.host,
    target: `${url.pathname}${url.search}`,
  };
}

async function run(options: WstestOptions, session: Session): Promise<number> {
  const { sections, url } = options;
  if (url === undefined) {
    await session.print(listText(sections));
    return EXIT.ok;
  }
  const { signal, exitCode } = session.onSignals();
  try {
    return await test(options, url, session, signal);
  } catch (error) {
    if (signal.aborted) return exitCode();
    throw error;
  }
}

async function test(
  { sections, tls, json, ...limits }: WstestOptions,
  url: URL,
  session: Session,
  signal: AbortSignal,
): Promise<number> {
  const { log, io: { clock } } = session;
  const transport = openClientTransport(session, clientTranscript());
  const options = { ...limits, transport, target: targetOf(url, tls), clock, signal };
  const shown = withoutCredentials(url).replace(/^http/, "ws");
  const why = await whyUntestable(options);
  if (why !== undefined) {
    const next = "Name the URL of a server that sends back what it gets.";
    throw new CliError(EXIT.refused, `Cannot test ${shown}: ${why}. ${next}`);
  }
  const count = sections.reduce((sum, { cases }) => sum + cases.length, 0);
  log.note(`running ${counted(count, "case")} on ${shown}`);
  const results = await runAll(sections, options);
  if (json !== "-") await session.print(reportText(results));
  if (json !== "") await writeJson(json, reportJson({ url: shown }, results), session);
  return countVerdicts(allResults(results)).fail === 0 ? EXIT.ok : EXIT.differed;
}
