/**
 * One line for each request, in the Common Log Format or as JSON.
 *
 * @module
 */

import { escapeAscii, escapeText, safeJson } from "../../../base/escape.ts";
import type { Exchange } from "../../../http/server/options.ts";
import { credentialsOf } from "../../../base/basic_auth.ts";
import { requestIdOf } from "./request_id.ts";

/** Options of {@linkcode AccessLog}. */
export interface AccessLogOptions {
  /** Takes one line or several, each with its line end. */
  readonly write: (lines: string) => void;
  /** `clf` is the Common Log Format: `host - user [time] "request" status bytes`. */
  readonly format: "clf" | "json";
  /** Whether users are asked for, so that the name a request brings means something. */
  readonly users: boolean;
  /**
   * The most characters that are written at once, unless one line has more. Default: 65,536. Workers
   * take what stays together beside the lines of others.
   */
  readonly most?: number;
  /** The time in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/** The number of characters at which lines are written without waiting for more. */
const MOST_GATHERED = 64 * 1024;
/** The time for which lines are gathered, in milliseconds. */
const GATHER_MS = 20;

/** Writes the log, many lines in one go if many requests are answered. */
export class AccessLog {
  readonly #write: (lines: string) => void;
  readonly #format: (exchange: Exchange, ms: number) => string;
  readonly #most: number;
  readonly #now: () => number;
  #lines = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    { write, format, users, most = MOST_GATHERED, now = Date.now }: AccessLogOptions,
  ) {
    const userOf = users
      ? (request: Exchange["request"]) =>
        request && credentialsOf(request.header("authorization"))?.user
      : () => undefined;
    this.#write = write;
    this.#most = most;
    this.#now = now;
    this.#format = format === "json"
      ? (exchange, ms) => jsonLine(exchange, ms, userOf(exchange.request))
      : (exchange, ms) => commonLine(exchange, ms, userOf(exchange.request));
  }

  /** Takes a request that was answered. */
  record(exchange: Exchange): void {
    const line = this.#format(exchange, this.#now());
    if (this.#lines.length + line.length > this.#most) this.flush();
    this.#lines += line;
    if (this.#lines.length >= this.#most) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Writes what was gathered. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === "") return;
    const lines = this.#lines;
    this.#lines = "";
    this.#write(lines);
  }
}

/**
 * A line as Apache's `%h %l %u %t "%r" %>s %b` has it, in UTC; after that of a request that was refused
 * a line says why.
 */
function commonLine(
  { request, status, bytes, remoteAddr, error }: Exchange,
  ms: number,
  user = "",
): string {
  const line = request === undefined
    ? "-"
    : `${request.method} ${request.target} HTTP/1.${request.minor}`;
  const host = hostOf(remoteAddr);
  const why = error === undefined
    ? ""
    : `refused a request of ${host}: ${escapeText(error.message)} (${error.code})\n`;
  return `${host} - ${escapeUser(user)} ${commonTime(ms)} "${escapeAscii(line)}" ` +
    `${status} ${bytes === 0 ? "-" : bytes}\n${why}`;
}

function jsonLine(exchange: Exchange, ms: number, user: string | undefined): string {
  const { request, status, bytes, complete, duration, remoteAddr, error } = exchange;
  return `${
    safeJson({
      time: new Date(ms).toISOString(),
      event: "request",
      requestId: request && requestIdOf(request),
      remoteAddr: hostOf(remoteAddr),
      via: "via" in remoteAddr ? hostOf(remoteAddr.via!) : undefined,
      user,
      method: request?.method,
      target: request?.target,
      status,
      bytes,
      complete,
      duration: Math.round(duration * 1000) / 1000,
      userAgent: request?.header("user-agent"),
      referer: request?.header("referer"),
      code: error?.code,
      message: error?.message,
    })
  }\n`;
}

function hostOf(addr: Exchange["remoteAddr"]): string {
  return "host" in addr ? addr.host : "unix";
}

let second = NaN;
let secondText = "";

/** `[10/Oct/2000:13:55:36 +0000]`; made once a second. */
function commonTime(ms: number): string {
  const now = Math.floor(ms / 1000);
  if (now !== second) {
    second = now;
    const [, day, month, year, time] = new Date(ms).toUTCString().split(" ");
    secondText = `[${day}/${month}/${year}:${time} +0000]`;
  }
  return secondText;
}

/** A user's name may have spaces, which would move the fields after it. */
function escapeUser(user: string): string {
  return user === "" ? "-" : escapeAscii(user).replaceAll(" ", "\\x20");
}
