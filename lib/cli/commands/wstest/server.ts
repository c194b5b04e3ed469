/**
 * `server.ts wstest`: do WebSocket clients keep the protocol?
 *
 * @module
 */

import { counted } from "../../../base/counted.ts";
import {
  type Command,
  command,
  commandLine,
  type CommandOptions,
  optionsOnly,
} from "../../command.ts";
import { EXIT, SERVER_EXIT_HELP } from "../../io/exit.ts";
import { renderFlags, type Values } from "../../io/flags.ts";
import { ACCESS_HELP } from "../../options/access_flags.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import {
  INSTRUMENT_FLAGS,
  INSTRUMENT_HELP,
  parseInstruments,
} from "../../options/instrument_flags.ts";
import { parseProxies, PROXY_HELP } from "../../options/proxy_protocol.ts";
import { parseServing, servingFlags, type ServingOptions } from "../../options/serving.ts";
import { openListener, serveUntilStopped } from "../../serving/serving.ts";
import type { Session } from "../../session.ts";
import { WEB_SOCKETS } from "../../web_socket/options.ts";
import type { Section } from "./case.ts";
import { checkTimeout, JSON_FLAG, ONLY_FLAG, TIMEOUT_FLAG, writeJson } from "./common.ts";
import { Examiner } from "./examiner.ts";
import { allResults, countVerdicts, reportJson, reportText } from "./report.ts";
import { selectedSections } from "./selection.ts";

const PORT = 9001;

const FLAGS = {
  ...servingFlags(PORT),
  only: ONLY_FLAG,
  json: JSON_FLAG,
  timeout: TIMEOUT_FLAG,
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

const HELP = `Tests whether WebSocket clients keep the protocol (RFC 6455 and RFC 7692).

  deno run -A server.ts wstest               waits for clients on localhost port ${PORT}
  deno run -A server.ts wstest --only 5      only the section on UTF-8
  npx plainsocket server wstest              the same on Node

Usage: server.ts wstest [options]

Each connection is one case, and the client must send back each message that it gets, until the
connection ends. In a browser, Node or Deno:

  const count = Number(await (await fetch("http://localhost:${PORT}/count")).text());
  for (let n = 1; n <= count; n++) {
    await new Promise((done) => {
      const ws = new WebSocket("ws://localhost:${PORT}/?case=" + n);
      ws.binaryType = "arraybuffer";
      ws.onmessage = ({ data }) => ws.send(data);
      ws.onclose = ws.onerror = done;
    });
  }
  console.log(await (await fetch("http://localhost:${PORT}/report")).text());

  /?case=N      the case with that number, from 1 on, or with an id, as 2.4-1
  /             the next case
  /count        how many there are, as text (HTTP)
  /report       the results so far, as text; /report.json as JSON (HTTP)

/getCaseCount, /runCase?case=N and /updateReports are there, too, as Autobahn's server has them.

Options:
${renderFlags(FLAGS)}

stdout gets the URL and, when it stops, the report. All else goes to stderr.
'client.ts wstest' tests servers, and its --list shows what is tested.

${ACCESS_HELP}

${PROXY_HELP}

${INSTRUMENT_HELP}

Exit codes:
${SERVER_EXIT_HELP.replace("\n", "\n  1    at least one case failed\n")}
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
  readonly serving: ServingOptions;
  readonly sections: readonly Section[];
  /** The file for JSON: `-` is stdout, and "" writes no JSON. */
  readonly json: string;
  /** The time for a case, in milliseconds. */
  readonly timeout: number;
}

async function parseWstest(
  values: Values<typeof FLAGS>,
  positionals: readonly string[],
): Promise<WstestOptions> {
  await optionsOnly(positionals, "wstest takes options only");
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { serves: true }),
    proxies: parseProxies(values),
    serving: parseServing(values, PORT),
    sections: selectedSections("client", values.only),
    json: values.json,
    timeout: checkTimeout(values.timeout),
  };
}

async function run(
  { serving, sections, json, timeout }: WstestOptions,
  session: Session,
): Promise<number> {
  const { log, io: { clock } } = session;
  const signals = session.onSignals();
  const examiner = new Examiner(sections, {
    timeout,
    clock,
    onResult: ({ case: { id, title }, verdict, why }) =>
      log.event(`${id} ${title}: ${why === undefined ? verdict : `${verdict}: ${why}`}`, {
        event: "case",
        id,
        verdict,
        why,
      }),
  });
  const opened = await openListener(serving, session, undefined, WEB_SOCKETS);
  const handler = (conn: Parameters<Examiner["serve"]>[0]) => examiner.serve(conn);
  const code = await serveUntilStopped(opened, handler, serving.limits, session, signals);
  const { results, left } = examiner;
  if (left > 0) log.note(`no connection has had ${counted(left, "case")}`);
  if (results.length === 0) return code;
  if (json !== "-") await session.print(reportText(results));
  if (json !== "") await writeJson(json, reportJson({}, results), session);
  return countVerdicts(allResults(results)).fail === 0 ? code : EXIT.differed;
}
