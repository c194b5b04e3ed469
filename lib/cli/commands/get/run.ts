/**
 * The work of `client.ts get`: requesting a URL, and writing the response.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { deferred } from "../../../base/wait.ts";
import { escapeText } from "../../../base/escape.ts";
import type { ClientTls, HttpHead } from "../../../http/client/options.ts";
import type { ClientResponse } from "../../../http/client/response.ts";
import { decodeContent } from "../../../http/client/content_decoding.ts";
import type { ResponseHeadLimits } from "../../../http/message/response_head.ts";
import { requestHttp } from "../../../http/client/request.ts";
import { hasField } from "../../../base/header_fields.ts";
import { withoutCredentials } from "../../../base/url.ts";
import type { Transport } from "../../../net/transport.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import { UsageError } from "../../io/flags.ts";
import { Download, type Outcome } from "./download.ts";
import { explained } from "./errors.ts";
import type { GetLimits, GetOptions, OutputOptions } from "./options.ts";
import { remoteName, type RequestChoice, requestOf } from "./request.ts";
import { Checksum, type Output, StdoutOutput } from "./output.ts";
import { fileOutput } from "./part_file.ts";
import { Progress } from "./progress.ts";
import { connectionTranscript, headLines, textOf, timingReport } from "./trace.ts";
import { writeError } from "../../io/files.ts";
import type { Io } from "../../io/io.ts";
import type { Log } from "../../io/log.ts";
import { asCalled } from "../../program.ts";
import type { Session } from "../../session.ts";
import { awaitedStdin } from "../../io/stdin.ts";
import { httpWords } from "../../drawing/http_drawing.ts";
import { openClientTransport } from "../../options/transport.ts";

/** Gets what the options say; resolves to the exit code. */
export async function runGet(options: GetOptions, session: Session): Promise<number> {
  const { tls, limits, timing, output: { file: named, forced, resume, sha256 } } = options;
  const { log, io } = session;
  failUnread(session);
  const { signal, exitCode } = session.onSignals();
  let output: Output | undefined;
  try {
    const stdin = awaitedStdin(io, () => {
      log.note("waiting for the data on stdin, which is sent when it ends");
    });
    const choice = await Promise.race([requestOf(options.request, stdin), abortOf(signal)]);
    const ranged = hasField(choice.headers, "range");
    if (ranged && resume) {
      throw new UsageError("Option -C (--continue) and a Range of one's own exclude each other");
    }
    const file = typeof named === "object" ? remoteName(choice.url) : named;
    const stdout = new StdoutOutput(session, new Checksum(""), forced);
    const checksum = new Checksum(sha256);
    output = file === undefined ? new StdoutOutput(session, checksum, forced) : await fileOutput({
      file,
      url: withoutCredentials(choice.url),
      resume,
      checksum,
      note: (message) => log.note(message),
    });
    const job = { choice, ranged, tls, limits, session, signal };
    return conclude(await download(job, options.output, { output, stdout, file }), timing, log);
  } catch (error) {
    await output?.close();
    const fate = output?.fate ?? "";
    if (!signal.aborted) throw explained(error, fate);
    if (fate !== "") log.note(fate);
    return exitCode();
  }
}

/** Rejects once a signal is aborted. A read of stdin cannot be cancelled. */
function abortOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = deferred<never>();
  promise.catch(() => {});
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

/**
 * Makes the run fail if nobody reads its output, as curl does: the output is not whole then. With
 * other commands that is not a failure.
 */
function failUnread(session: Session): void {
  session.onStdoutError = (error) => {
    const program = asCalled("client.ts", session.prefix);
    session.log.error(`${program}: ${writeError("stdout", error).message}`);
    session.end(EXIT.writeFailed);
  };
}

/** The request and outputs of a run. */
interface Job {
  readonly choice: RequestChoice;
  /** Whether a part is asked for. */
  readonly ranged: boolean;
  readonly tls: ClientTls;
  readonly limits: GetLimits;
  readonly session: Session;
  readonly signal: AbortSignal;
}

/** The outputs of a response. */
interface Outputs {
  readonly output: Output;
  readonly stdout: Output;
  /** The path of the output, if it is a file. */
  readonly file: string | undefined;
}

function download(
  job: Job,
  { withHead, decompress }: OutputOptions,
  { output, stdout, file }: Outputs,
): Promise<Outcome> {
  const { choice, ranged, limits, session, signal } = job;
  const { log, io } = session;
  const transport = openClientTransport(session, connectionTranscript(), {
    words: httpWords("client"),
  });
  const shown = file !== undefined && io.stderr.isTTY && !log.json && !log.quiet && !log.verbose;
  const progress = shown ? new Progress(io, basename(file), () => output.at) : undefined;
  const maxSize = decompress ? limits.size : undefined;
  return new Download({
    request: (headers, offset) => request(transport, job, headers, offset),
    contentOf: (response) => contentOf(response, withHead, maxSize, io),
    output,
    errorOutput: stdout,
    resumable: choice.method === "GET" && !withHead && !ranged && !decompress,
    ranged,
    retries: limits.retries,
    signal,
    clock: io.clock,
    note: (message) => log.note(message),
    progress,
  }).run();
}

async function request(
  transport: Transport,
  { choice, tls, limits, session: { log, io }, signal }: Job,
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
    maxRedirects: limits.redirects,
    maxSize: Math.max(0, limits.size - offset),
    limits: headLimits(limits.head),
    connectTimeout: limits.connectTimeout,
    idleTimeout: limits.idleTimeout,
    signal,
    clock: io.clock,
    // A drawing has them already.
    ...(log.verbose && !log.draws ? { onHead } : {}),
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

/**
 * The content of a response that is shown. A piece is valid until the next one. It is decoded if
 * `decodedSize` says how many bytes it may have then.
 */
async function* contentOf(
  response: ClientResponse,
  withHead: boolean,
  decodedSize: number | undefined,
  { stdout }: Io,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (withHead) {
    const startLine = `HTTP/1.${response.minor} ${response.status} ${response.reason}`.trimEnd();
    const lines = textOf(startLine, response.rawHeaders);
    const shown = stdout.isTTY ? lines.map(escapeText) : lines;
    yield Buffer.from(`${shown.join("\r\n")}\r\n\r\n`, "latin1");
  }
  if (decodedSize === undefined) yield* response.borrowed();
  else yield* decodeContent(response, { maxSize: decodedSize });
}

/** Logs the timing of a response. Returns the exit code. Throws a {@linkcode CliError} for an error status. */
function conclude({ response, whole }: Outcome, timing: boolean, log: Log): number {
  if (timing) {
    const { lines, json } = timingReport(response);
    log.report(lines, json);
  }
  const { status, reason, url } = response;
  // 416 may have been the answer that there is no more to get.
  if (status < 400 || whole) return EXIT.ok;
  const answer = `${status} ${reason}`.trimEnd();
  throw new CliError(EXIT.refused, `The server answered ${answer} for ${url}.`);
}
