/**
 * The end of an error's message: the cause, checked where it can be, and the next step. It replaces
 * the general advice, which is a guess.
 *
 * @module
 */

import type { TcpAddr } from "../../base/addr.ts";
import { systemClock } from "../../base/clock.ts";
import { Deadline } from "../../base/wait.ts";
import type { SocketErrorCode } from "../../base/error_codes.ts";
import { adviceOf, SocketError } from "../../base/errors.ts";
import { escapeText } from "../../base/escape.ts";
import { parseScopedIP } from "../../base/ip.ts";
import { formatSize } from "../../base/size.ts";
import { REQUEST_ERRORS, RequestError } from "../../http/client/errors.ts";
import { systemTransport } from "../../net/system.deno.ts";
import { CliError, EXIT } from "../io/exit.ts";
import type { Attempt } from "../options/last_attempt.ts";
import { type Cause, whyRefused, whySilent, whyUnreachable } from "./connecting.ts";
import { whyUnanswered } from "./datagrams.ts";
import { whyInUse, whyNotOwn, whyPrivileged } from "./listening.ts";
import { type Manner, mannerOf } from "./next_command.ts";
import { hostsEntry, whyNameless } from "./name_lookup.ts";
import { type Speech, speechOf } from "./server_protocol.ts";
import { whyDead, whyForbidden, whyNoFile } from "./unix.ts";
import { whyNoHttp, whyNoTls, whyNotPlain, whyOtherAnswer } from "./other_protocol.ts";

/** The time that all checks may take together, in milliseconds. */
export const CHECK_MS = 250;

/** The command that failed, as the user has typed it. */
export interface Called {
  /** The name of the client's program: `client.ts`. */
  readonly client: string;
  /** The command that failed: `client.ts get`. */
  readonly command: string;
}

/** The message of an error with its cause, if one was found, in place of the general advice. */
export async function explained(
  error: Error,
  attempt: Attempt,
  { client, command }: Called,
): Promise<string> {
  const cause = await causeOf(error, attempt, mannerOf(client, command));
  return cause === undefined ? error.message : replaced(error, sentences(cause));
}

/** The cause of an error, checked; undefined if none was found in time. Never rejects. */
export async function causeOf(
  error: Error,
  attempt: Attempt,
  manner: Manner,
): Promise<Cause | undefined> {
  // Peers and files are slow by the time of the system, whatever clock the program has.
  using deadline = new Deadline({ timeout: CHECK_MS });
  const end = systemClock.now() + CHECK_MS;
  const isLate = () => systemClock.now() > end;
  try {
    return await new Check(attempt, manner, deadline.signal, isLate).of(error);
  } catch {
    // The caller then shows the error as it is.
    return undefined;
  }
}

/** A cause as sentences, escaped. */
export function sentences({ why, next }: Cause): string {
  return escapeText([why, next].filter(Boolean).map((text) => `${text}.`).join(" "));
}

/** Puts the cause in place of the advice of the error, or of the one that it was made of; else after it. */
function replaced(error: Error, cause: string): string {
  const { message } = error;
  for (const one of [error, error.cause]) {
    const advice = one instanceof SocketError
      ? adviceOf(one)
      : one instanceof RequestError
      ? REQUEST_ERRORS[one.code]
      : "";
    if (advice !== "" && message.includes(advice)) return message.replace(advice, () => cause);
  }
  return `${message} ${cause}`;
}

/** The checks of one error. */
class Check {
  readonly #attempt: Attempt;
  readonly #manner: Manner;
  readonly #signal: AbortSignal;
  readonly #isLate: () => boolean;

  constructor(attempt: Attempt, manner: Manner, signal: AbortSignal, isLate: () => boolean) {
    this.#isLate = isLate;
    this.#attempt = attempt;
    this.#manner = manner;
    this.#signal = signal;
  }

  async of(error: Error): Promise<Cause | undefined> {
    const found = error instanceof CliError ? error.cause ?? error : error;
    if (found instanceof SocketError) return await this.#ofSocket(found);
    if (found instanceof RequestError) return await this.#ofRequest(found);
    if (!(found instanceof CliError)) return undefined;
    const strange = found.exitCode === EXIT.differed || found.exitCode === EXIT.closedEarly;
    if (!strange || this.#attempt.tls || this.#manner.knowsServer) return undefined;
    return await this.#ofSpeech(whyOtherAnswer);
  }

  async #ofSocket(error: SocketError): Promise<Cause | undefined> {
    switch (error.op) {
      case "resolve":
        return this.#ofName(error);
      case "connect":
        return this.#ofConnecting(error);
      case "listen":
        return this.#ofListening(error);
      case "startTls": {
        return error.code === "ECERT" ? undefined : await this.#ofSpeech(whyNoTls);
      }
      case "read":
      case "write":
      case "closeWrite":
        return error.code === "ECONNRESET" || error.code === "EPIPE"
          ? await this.#ofReset(error)
          : undefined;
      case "send":
      case "receive":
        return this.#ofDatagrams(error);
    }
    return undefined;
  }

  #ofName({ code, addr }: SocketError): Cause | undefined {
    if (addr === undefined || !("host" in addr)) return undefined;
    if (code !== "ENOTFOUND" && code !== "EAI_AGAIN") return undefined;
    return whyNameless(addr.host, code === "ENOTFOUND");
  }

  #ofConnecting(error: SocketError): Cause | undefined {
    if (error.addr !== undefined && "path" in error.addr) {
      return ofPath(error.addr.path, error.code);
    }
    const tried = triedBy(error, this.#attempt);
    if (tried.length === 0) return undefined;
    switch (error.code) {
      case "ECONNREFUSED":
        return this.#named(whyRefused(tried, this.#manner, this.#isLate));
      case "ETIMEDOUT":
        return this.#named(whySilent(tried, this.#isLate));
      case "ENETUNREACH":
      case "EHOSTUNREACH":
      // So says a kernel that has no address to send from.
      case "EADDRNOTAVAIL":
        return whyUnreachable(tried[0]);
    }
    return undefined;
  }

  /** Says where the address comes from, if this machine has the name in a file of its own. */
  #named(cause: Cause | undefined): Cause | undefined {
    const { host = "" } = this.#attempt.endpoint ?? {};
    const entries = host === "localhost" ? [] : hostsEntry(host);
    if (cause === undefined || entries.length === 0) return cause;
    return { ...cause, why: `${cause.why}. /etc/hosts has ${host} as ${entries.join(", ")}` };
  }

  #ofListening({ code, addr }: SocketError): Cause | undefined {
    if (addr === undefined || !("port" in addr)) return undefined;
    const { host, port } = addr;
    const where: TcpAddr = { transport: "tcp", host, port };
    if (code === "EADDRINUSE") return whyInUse(where, this.#isLate);
    if (code === "EACCES") return whyPrivileged(where);
    return code === "EADDRNOTAVAIL" ? whyNotOwn() : undefined;
  }

  #ofDatagrams({ code }: SocketError): Cause | undefined {
    const { peer } = this.#attempt;
    if (peer === undefined || code !== "ECONNREFUSED" && code !== "ETIMEDOUT") return undefined;
    return this.#named(whyUnanswered(peer, this.#manner, this.#isLate));
  }

  async #ofReset({ code }: SocketError): Promise<Cause | undefined> {
    const { conn, tls } = this.#attempt;
    if (conn === undefined) return undefined;
    const { bytesRead, bytesWritten } = conn;
    const who = code === "ECONNRESET" ? "The peer reset the connection" : "The peer closed it";
    const why = `${who} after ${formatSize(bytesWritten)} to it and ${
      formatSize(bytesRead)
    } from it`;
    const speech = bytesRead === 0 && !tls ? await this.#speech() : undefined;
    const other = speech && whyNotPlain(speech, this.#manner);
    if (other !== undefined) return { why: `${why}. ${other.why}`, next: other.next };
    return { why, next: "The other program ended or gave up; its log may say why" };
  }

  async #ofRequest({ code }: RequestError): Promise<Cause | undefined> {
    if (code !== "BAD_STATUS_LINE" && code !== "EMPTY_RESPONSE" && code !== "BAD_LINE_END") {
      return undefined;
    }
    return this.#attempt.tls ? undefined : await this.#ofSpeech(whyNoHttp);
  }

  /** Explains an unexpected response by the protocol that the server speaks. */
  async #ofSpeech(why: typeof whyNoHttp): Promise<Cause | undefined> {
    const addr = this.#server();
    const speech = await this.#speech();
    return addr && speech && why(speech, addr, this.#manner);
  }

  /** The server of the last connection. */
  #server(): TcpAddr | undefined {
    const addr = this.#attempt.conn?.remoteAddr;
    return addr?.transport === "tcp" ? addr : undefined;
  }

  /** Asks it what it speaks. */
  async #speech(): Promise<Speech | undefined> {
    const addr = this.#server();
    if (addr === undefined) return undefined;
    const { host } = this.#attempt.endpoint ?? addr;
    return await speechOf(systemTransport, addr, host, this.#signal).catch(() => undefined);
  }
}

/** Why the Unix socket at a path takes no connection. */
function ofPath(path: string, code: SocketErrorCode): Cause | undefined {
  if (code === "ENOENT") return whyNoFile(path);
  if (code === "ECONNREFUSED") return whyDead(path);
  return code === "EACCES" ? whyForbidden(path) : undefined;
}

/** The addresses that an error of connecting is about: of a name, those that were found. */
function triedBy({ addr, cause }: SocketError, { addrs }: Attempt): readonly TcpAddr[] {
  const isName = addr !== undefined && "host" in addr && parseScopedIP(addr.host) === undefined;
  if (isName && !(cause instanceof AggregateError)) return addrs ?? [];
  const errors = cause instanceof AggregateError ? cause.errors : [{ addr }];
  return errors.flatMap(({ addr }) =>
    addr !== undefined && "host" in addr
      ? [{ transport: "tcp", host: addr.host, port: addr.port }]
      : []
  );
}
