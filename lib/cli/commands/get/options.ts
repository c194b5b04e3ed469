/**
 * The command line of `get`.
 *
 * @module
 */

import type { ClientTls } from "../../../http/client/options.ts";
import { type CommandLine, commandLine, type CommandOptions } from "../../command.ts";
import {
  bothNames,
  integer,
  path,
  seconds,
  size,
  text,
  toggle,
  UsageError,
  type Values,
} from "../../io/flags.ts";
import { GENERAL_FLAGS, noMore, parseLog } from "../../options/common.ts";
import { INSTRUMENT_FLAGS, parseInstruments } from "../../options/instrument_flags.ts";
import { socketPath } from "../../options/socket_path.ts";
import { parseTrust, TRUST_FLAGS } from "../../options/tls_client.ts";
import { parseRequest, REQUEST_FLAGS, type RequestOptions } from "./request.ts";

const MOST = Number.MAX_SAFE_INTEGER;
const MOST_HEAD = 16 * 1024 * 1024;

const FLAGS = {
  output: {
    ...path("write the content to FILE, which appears when it is whole", "FILE"),
    short: "o",
  },
  "remote-name": toggle("the same, with the last part of the URL as FILE", "O"),
  continue: toggle("go on with what an earlier run has left in FILE.part", "C"),
  retry: integer("N", [0, 100], 0, "attempts after a failure that may pass (default 0)"),
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
  timing: toggle("show the time of each step, in milliseconds from the start"),
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

function sha256Of(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text;
  throw new UsageError(`takes 64 hexadecimal digits, not '${text}'`);
}

type GetValues = Values<typeof FLAGS>;

/** Options about the output of the content. */
export interface OutputOptions {
  /** A file, or the one that the URL names. Undefined is stdout. */
  readonly file: string | { readonly remoteName: true } | undefined;
  /** Whether stdout takes binary content on a terminal, too. */
  readonly forced: boolean;
  /** Whether it resumes what an earlier run has left. */
  readonly resume: boolean;
  /** The SHA-256 that the content must have; "" is any. */
  readonly sha256: string;
  /** Whether the head is put before the content. */
  readonly withHead: boolean;
  /** Whether the content is decompressed. */
  readonly decompress: boolean;
}

/** Limits of size, attempts and time. */
export interface GetLimits {
  readonly retries: number;
  readonly redirects: number;
  /** The most bytes of content. */
  readonly size: number;
  /** The most bytes of a head. */
  readonly head: number;
  /** The time to connect, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number;
  /** The idle timeout, in milliseconds; 0 for no limit. */
  readonly idleTimeout: number;
}

/** Options of `get`. */
export interface GetOptions extends CommandOptions {
  readonly request: RequestOptions;
  readonly tls: ClientTls;
  readonly output: OutputOptions;
  readonly limits: GetLimits;
  /** Whether it shows the times of the steps. */
  readonly timing: boolean;
}

/** Makes the options of `get`. */
function parseGet(values: GetValues, positionals: string[]): GetOptions {
  const url = urlOf(values, positionals);
  checkCombination(values);
  return {
    log: parseLog(values),
    instruments: parseInstruments(values),
    request: parseRequest(url, values),
    tls: parseTrust(values),
    output: parseOutput(values),
    limits: parseLimits(values),
    timing: values.timing,
  };
}

function parseOutput(values: GetValues): OutputOptions {
  const { output, continue: resume, sha256, include, head, compressed } = values;
  const forced = output === "-";
  const named = output === "" || forced ? undefined : output;
  return {
    file: values["remote-name"] ? { remoteName: true } : named,
    forced,
    resume,
    sha256,
    withHead: include || head,
    decompress: compressed && !head,
  };
}

function parseLimits(values: GetValues): GetLimits {
  return {
    retries: values.retry,
    redirects: values["max-redirects"],
    size: values["max-size"],
    head: values["max-head"],
    connectTimeout: values["connect-timeout"],
    idleTimeout: values.timeout,
  };
}

/** The one URL that the command line has to have. */
function urlOf(values: GetValues, positionals: string[]): string {
  // In curl `-` is the position to resume from.
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

function checkCombination(values: GetValues): void {
  const exclude = (...names: (keyof GetValues)[]) => {
    const given = names.filter((name) => values[name] !== FLAGS[name].fallback);
    if (given.length < 2) return;
    const [one, other] = given.map((name) => bothNames(FLAGS, name));
    throw new UsageError(`Options ${one} and ${other} exclude each other`);
  };
  exclude("output", "remote-name");
  // With these the output is not a part of a file that the server could send the rest of.
  for (const name of ["compressed", "include", "head", "data", "data-binary"] as const) {
    exclude("continue", name);
  }
  exclude("data", "data-binary");
  exclude("data", "head");
  exclude("data-binary", "head");
  // The sum is of the content alone, without the head.
  exclude("sha256", "include");
  exclude("sha256", "head");
  if (values.continue && ["", "-"].includes(values.output) && !values["remote-name"]) {
    throw new UsageError("Option -C (--continue) needs a file: -o FILE or -O");
  }
}

/** The command line. */
export const GET_LINE: CommandLine<GetOptions> = commandLine(FLAGS, parseGet);
