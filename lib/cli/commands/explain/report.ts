/**
 * The findings of `explain`, from top to bottom, and as JSON.
 *
 * @module
 */

import { type Endpoint, formatAddr, type TcpAddr } from "../../../base/addr.ts";
import { ERROR_CODES } from "../../../base/error_codes.ts";
import { adviceOf, type SocketError } from "../../../base/errors.ts";
import { escapeText } from "../../../base/escape.ts";
import type { Cause } from "../../explain/connecting.ts";
import { sentences } from "../../explain/explain.ts";
import type { Manner } from "../../explain/next_command.ts";
import type { Speech } from "../../explain/server_protocol.ts";
import { describeSpeech } from "../../explain/other_protocol.ts";

/** Why something failed. */
export interface Failure {
  readonly error: SocketError;
  /** Undefined if no check found one. */
  readonly cause: Cause | undefined;
}

/** An address, and what came of connecting to it. */
export type Tried = {
  readonly addr: TcpAddr;
  /** The number of milliseconds that it took to connect. Undefined if that failed. */
  readonly took?: number;
} & Partial<Failure>;

/** See the module. */
export interface Report {
  readonly endpoint: Endpoint;
  readonly tried: readonly Tried[];
  /** Why the name has no address. Undefined if it has. */
  readonly unresolved: Failure | undefined;
  /** The protocol that the first address speaks, of those that answer. */
  readonly speech: Speech | undefined;
}

/** The column after the first words. */
const INDENT = 10;

/** The report as lines. */
export function reportText(
  { endpoint, tried, unresolved, speech }: Report,
  manner: Manner,
): string {
  const lines = [formatAddr(endpoint)];
  const line = (word: string, text: string) => lines.push(`  ${word.padEnd(INDENT - 2)}${text}`);
  if (unresolved !== undefined) {
    line("name", shortOf(unresolved.error));
    line("", becauseOf(unresolved));
  } else if (!tried.some(({ addr }) => addr.host === endpoint.host)) {
    line("name", tried.map(({ addr }) => addr.host).join(", "));
  }
  for (const { addr, took, error, cause } of tried) {
    line(
      "connect",
      `${formatAddr(addr)}: ${error ? shortOf(error) : `done in ${took!.toFixed(1)} ms`}`,
    );
    if (error) line("", becauseOf({ error, cause }));
  }
  const reached = tried.find(({ took }) => took !== undefined)?.addr;
  if (reached !== undefined && speech !== undefined) {
    line("server", describeSpeech(speech));
    const next = nextOf(speech, reached, manner);
    if (next !== undefined) line("", `${next}.`);
  }
  line("result", reached ? "it can be reached" : "it cannot be reached");
  return `${lines.map(escapeText).join("\n")}\n`;
}

/** The reason of an error, without the operation and the advice. */
function shortOf({ code }: SocketError): string {
  return `${ERROR_CODES[code].why} (${code})`;
}

function becauseOf({ error, cause }: Failure): string {
  return cause === undefined ? adviceOf(error) : sentences(cause);
}

/** The command that talks to a server with this protocol. */
function nextOf(speech: Speech, addr: TcpAddr, manner: Manner): string | undefined {
  if (speech.type === "tls") return `${manner.bytes(addr)} --tls`;
  return speech.type === "http" ? manner.http(addr) : manner.bytes(addr);
}

/** The report as a JSON value. */
export function reportJson({ endpoint, tried, unresolved, speech }: Report): unknown {
  return {
    endpoint: formatAddr(endpoint),
    reached: tried.some(({ took }) => took !== undefined),
    ...unresolved && failureJson(unresolved),
    addresses: tried.map(({ addr: { host, port }, took, error, cause }) => ({
      address: host,
      port,
      ...took !== undefined && { milliseconds: Math.round(took * 1000) / 1000 },
      ...error && failureJson({ error, cause }),
    })),
    ...speech && { server: speech.type },
  };
}

function failureJson({ error, cause }: Failure): Record<string, unknown> {
  return { code: error.code, message: error.message, why: cause?.why, next: cause?.next };
}
