/**
 * `client.ts get URL`: HTTP for people who know curl.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { deferred } from "../../../base/deferred.ts";
import { escapeText } from "../../../base/escape.ts";
import type { ClientTls, HttpHead } from "../../../http/client/options.ts";
import type { ClientResponse } from "../../../http/client/response.ts";
import { decodeContent } from "../../../http/client/encoding.ts";
import type { ResponseHeadLimits } from "../../../http/message/response_head.ts";
import { requestHttp } from "../../../http/client/request.ts";
import { hasField } from "../../../http/client/request_head.ts";
import { publicUrl } from "../../../http/client/url.ts";
import type { Transport } from "../../../net/transport.ts";
import { type Command, command } from "../../command.ts";
import { INSTRUMENT_FLAGS, INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { GENERAL_FLAGS, noMore } from "../../options/common.ts";
import { clientExitHelp, CliError, EXIT } from "../../io/exit.ts";
import {
  bothNames,
  integer,
  path,
  renderFlags,
  seconds,
  size,
  text,
  toggle,
  UsageError,
} from "../../io/flags.ts";
import type { Values } from "../../io/flags.ts";
import { Download, type Outcome } from "./download.ts";
import { explained } from "./errors.ts";
import { remoteName, REQUEST_FLAGS, type RequestChoice, requestOf } from "./options.ts";
import { Checksum, type Output, StdoutOutput } from "./output.ts";
import { fileOutput } from "./part.ts";
import { Progress } from "./progress.ts";
import { connectionTranscript, headLines, textOf, timingReport } from "./trace.ts";
import { writeError } from "../../io/files.ts";
import { CURL_HINTS } from "../../advice/hints.ts";
import type { Io } from "../../io/io.ts";
import type { Log } from "../../io/log.ts";
import { asCalled } from "../../program.ts";
import type { Session } from "../../session.ts";
import { socketPath } from "../../options/socket_path.ts";
import { awaitedStdin } from "../../io/stdin.ts";
import { TRUST_FLAGS, trustOf } from "../../options/tls_client.ts";
import { openTransport } from "../../options/transport.ts";

const MOST = Number.MAX_SAFE_INTEGER;
const MOST_HEAD = 16 * 1024 * 1024;

const FLAGS = {
  output: {
    ...path("write the content to FILE, which appears when it is whole", "FILE"),
    short: "o",
  },
  "remote-name": toggle("the same, with the last part of the URL as FILE", "O"),
  continue: toggle("go on with what an earlier run has left in FILE.part", "C"),
  retry: integer("N", [0, 100], 0, "try so often again after what may pass (default 0)"),
  sha256: { ...text("HEX", "", "the SHA-256 that the content must have"), parse: sha256Of },
  include: toggle("put the head of the response before the content", "i"),
  head: toggle("ask with HEAD, and show the head of the response", "I"),
  ...REQUEST_FLAGS,
  compressed: toggle("ask for compressed content, and decompress it"),
  unix: socketPath("connect to this socket file, whatever host the URL has"),
  ...TRUST_FLAGS,
  "max-redirects": integer("N", [0, 1000], 10, "redirects to follow; 0 = none (default 10)"),
  "max-size": size([1, MOST], MOST, "most content to take (default no limit)"),
  "max-head": size([1, MOST_HEAD], 65_536, "most of the response's head (default 64KiB)"),
  "connect-timeout": seconds(10, "to resolve the name and connect; 0 = no limit (default 10)"),
  timeout: seconds(60, "to wait with no byte moving; 0 = no limit (default 60)"),
  timing: toggle("tell when what was done, in milliseconds from the start"),
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

function sha256Of(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text;
  throw new UsageError(`takes 64 hexadecimal digits, not '${text}'`);
}

const HELP = `Gets what is at a URL, by HTTP/1.1.

  deno run -A client.ts get http://localhost:8080/           prints the content
  deno run -A client.ts get -O http://localhost:8080/a.iso   saves it as a.iso
  deno run -A client.ts get -O -C --retry 5 http://…/a.iso   goes on with what came before
  deno run -A client.ts get -v -d a=1 -d b=2 localhost:8080  posts a form, shows both heads
  deno run -A client.ts get --cacert ca.pem https://localhost:8443/
  npx plainsocket client get http://localhost:8080/          the same on Node

Usage: client.ts [get] URL [options]

Without a scheme the URL is http://; that of a Unix socket is http+unix://%2Frun%2Fa.sock/path, or
any with --unix. The options are curl's where they mean the same.

Options:
${renderFlags(FLAGS)}

stdout gets the content, byte for byte: as the server sends it, unless --compressed is given. All
else goes to stderr. With a FILE, what has come is in FILE.part until it is whole, beside it in
FILE.part.json what -C needs; a run that fails keeps both. Only the content of a success (2xx)
becomes FILE; that of other responses goes to stdout. Binary content does not go to a terminal,
unless FILE is -.

FILE.part and FILE.part.json are never written through a link, and what is there already must be a
file of your own with no other name: anything else is an error. FILE may be a link that you or root
have made: what it leads to is replaced. Where the name of FILE leaves no room for .part.json within
255 bytes, that of the two is its beginning, ~ and 16 digits.

-C goes on with FILE.part only: without one, all is got anew, even if there is a whole FILE.
-C and --retry go on with Range and If-Range if the server gave a strong ETag or a Last-Modified.
If it did not, or sends all of it anew, what comes is compared with what is there: the bytes that
agree are not lost when that breaks off early, and if some differ, all that was there is kept as
FILE.part.1 (or .2, and so on), and a note says so. What may pass are failures to connect,
timeouts, responses that break off, and the statuses 408, 429 and 5xx; the wait is what Retry-After
says, or 1 s, 2 s, 4 s…, up to 60 s.

Redirects keep the method and the content, but 303 is followed with GET, and so are 301 and 302 if
the method was POST. Authorization and Cookie are not sent to another scheme, host or port. With
--max-redirects 0 the redirect itself is what you get.

${INSTRUMENT_HELP}

Exit codes:
${
  clientExitHelp([
    "differed",
    "badUrl",
    "notConnected",
    "closedEarly",
    "refused",
    "timeout",
    "tlsFailed",
    "tooManyRedirects",
    "emptyResponse",
    "receiveFailed",
    "badCertificate",
    "tooLarge",
  ], { ok: "all went well; content that nobody reads any more is 23" })
}
`;

type GetValues = Values<typeof FLAGS>;

/** The command; see the module. */
export const get: Command = command({
  name: "get",
  flags: FLAGS,
  help: HELP,
  hints: CURL_HINTS,
  run,
});

async function run(
  values: GetValues,
  positionals: string[],
  session: Session,
): Promise<number> {
  const url = urlOf(values, positionals);
  checkCombination(values);
  const { io } = session;
  const log = session.openLog(values);
  failUnread(session);
  const { signal, exitCode } = session.onSignals();
  let output: Output | undefined;
  try {
    const stdin = awaitedStdin(io, () => {
      log.note("waiting for the data on stdin, which is sent when it ends");
    });
    const choice = await Promise.race([requestOf(url, values, stdin), abortOf(signal)]);
    const ranged = hasField(choice.headers, "range");
    if (ranged && values.continue) {
      throw new UsageError("Option -C (--continue) and a Range of one's own exclude each other");
    }
    const tls = trustOf(values);
    const file = fileOf(values, choice.url);
    const forced = values.output === "-";
    const stdout = new StdoutOutput(session, new Checksum(""), forced);
    const checksum = new Checksum(values.sha256);
    output = file === undefined ? new StdoutOutput(session, checksum, forced) : await fileOutput({
      file,
      url: publicUrl(choice.url),
      resume: values.continue,
      checksum,
      note: (message) => log.note(message),
    });
    const job = { values, choice, ranged, tls, log, io, session, signal };
    return told(await download(job, output, stdout, file), job);
  } catch (error) {
    await output?.close();
    const fate = output?.fate ?? "";
    if (!signal.aborted) throw explained(error, fate);
    if (fate !== "") log.note(fate);
    return exitCode();
  }
}

/** Rejects once a signal is aborted. What waits for stdin cannot be told to give that up. */
function abortOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = deferred<never>();
  promise.catch(() => {});
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

/** The one URL that the command line has to have. */
function urlOf(values: GetValues, positionals: string[]): string {
  // What curl takes for the place to go on from.
  if (values.continue && positionals.includes("-")) {
    throw new UsageError("Option -C (--continue) takes no value: leave the '-' out");
  }
  const [url, ...more] = positionals;
  if (url === undefined) throw new UsageError("get needs a URL");
  if (/^\d+$/.test(more[0] ?? "") && !/[^/]\/[^/]/.test(url)) {
    throw new UsageError(`A colon stands between host and port: ${url}:${more[0]}`);
  }
  noMore(more, "get takes one URL at a time");
  return url;
}

/** What nobody reads is not whole, as curl has it: with other commands that is no failure. */
function failUnread(session: Session): void {
  session.onStdoutError = (error) => {
    const program = asCalled("client.ts", session.prefix);
    session.log.error(`${program}: ${writeError("stdout", error).message}`);
    session.end(EXIT.writeFailed);
  };
}

function checkCombination(values: GetValues): void {
  const exclude = (...names: (keyof GetValues)[]) => {
    const given = names.filter((name) => values[name] !== FLAGS[name].fallback);
    if (given.length < 2) return;
    const [one, other] = given.map((name) => bothNames(FLAGS, name));
    throw new UsageError(`Options ${one} and ${other} exclude each other`);
  };
  exclude("output", "remote-name");
  // These make of the content what the server could not go on with.
  for (const name of ["compressed", "include", "head", "data", "data-binary"] as const) {
    exclude("continue", name);
  }
  exclude("data", "data-binary");
  exclude("data", "head");
  exclude("data-binary", "head");
  // The head is no part of the content that has that sum.
  exclude("sha256", "include");
  exclude("sha256", "head");
  if (values.continue && ["", "-"].includes(values.output) && !values["remote-name"]) {
    throw new UsageError("Option -C (--continue) needs a file: -o FILE or -O");
  }
}

/** The file to write to; nothing for stdout. */
function fileOf(values: GetValues, url: URL): string | undefined {
  if (values["remote-name"]) return remoteName(url);
  return values.output === "" || values.output === "-" ? undefined : values.output;
}

/** What a run is about. */
interface Job {
  readonly values: GetValues;
  readonly choice: RequestChoice;
  /** Whether a part is asked for. */
  readonly ranged: boolean;
  readonly tls: ClientTls;
  readonly log: Log;
  readonly io: Io;
  readonly session: Session;
  readonly signal: AbortSignal;
}

function download(
  job: Job,
  output: Output,
  stdout: Output,
  file: string | undefined,
): Promise<Outcome> {
  const { values, choice, ranged, log, io, signal } = job;
  const transport = openTransport(job.session, connectionTranscript());
  const { include, head, compressed } = values;
  const shown = file !== undefined && io.stderr.isTTY && values.log === "text";
  const progress = shown && !values.quiet && !values.verbose
    ? new Progress(io, basename(file), () => output.at)
    : undefined;
  return new Download({
    request: (headers, offset) => request(transport, job, headers, offset),
    contentOf: (response) => contentOf(response, include || head, compressed && !head, job),
    output,
    errorOutput: stdout,
    resumable: choice.method === "GET" && !include && !ranged && !compressed,
    ranged,
    retries: values.retry,
    signal,
    clock: io.clock,
    note: (message) => log.note(message),
    progress,
  }).run();
}

async function request(
  transport: Transport,
  { values, choice, tls, log, io, signal }: Job,
  headers: readonly string[],
  offset: number,
): Promise<ClientResponse> {
  const onHead = (head: HttpHead) => {
    const { type, startLine, headers } = head;
    log.report(headLines(head), { event: type, startLine, headers });
  };
  const response = await requestHttp(transport, {
    ...choice,
    tls,
    headers: [...choice.headers, ...headers],
    maxRedirects: values["max-redirects"],
    maxSize: Math.max(0, values["max-size"] - offset),
    limits: headLimits(values["max-head"]),
    connectTimeout: values["connect-timeout"],
    idleTimeout: values.timeout,
    signal,
    clock: io.clock,
    ...(log.verbose ? { onHead } : {}),
  });
  if (response.untilClose && log.verbose) {
    log.note("* No length is given: the content ends with the connection, whole or not");
  }
  return response;
}

/** One number for all of the head. */
function headLimits(bytes: number): ResponseHeadLimits {
  return { statusLine: bytes, headerBytes: bytes, headerCount: bytes };
}

/** What of a response is shown; a piece is valid until the next one. */
async function* contentOf(
  response: ClientResponse,
  withHead: boolean,
  decoded: boolean,
  { values: { "max-size": maxSize }, io: { stdout } }: Job,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (withHead) {
    const startLine = `HTTP/1.${response.minor} ${response.status} ${response.reason}`.trimEnd();
    const lines = textOf(startLine, response.rawHeaders);
    const shown = stdout.isTTY ? lines.map(escapeText) : lines;
    yield Buffer.from(`${shown.join("\r\n")}\r\n\r\n`, "latin1");
  }
  yield* decoded ? decodeContent(response, { maxSize }) : response.borrowed();
}

/** Tells what is left to tell of a response that has come. */
function told({ response, whole }: Outcome, { values, log }: Job): number {
  if (values.timing) {
    const { lines, json } = timingReport(response);
    log.report(lines, json);
  }
  const { status, reason, url } = response;
  // 416 may have been the answer that there is no more to get.
  if (status < 400 || whole) return EXIT.ok;
  const answer = `${status} ${reason}`.trimEnd();
  throw new CliError(EXIT.refused, `The server answered ${answer} for ${url}.`);
}
