/**
 * Exit codes: curl's numbers where they mean the same.
 *
 * @module
 */

import type { SocketOp } from "../../base/error_codes.ts";
import type { SocketError } from "../../base/errors.ts";

/** The exit codes by name. */
export const EXIT: {
  readonly ok: 0;
  readonly differed: 1;
  readonly usage: 2;
  readonly badUrl: 3;
  readonly notResolved: 6;
  readonly notConnected: 7;
  readonly closedEarly: 18;
  readonly refused: 22;
  readonly writeFailed: 23;
  readonly badInput: 26;
  readonly timeout: 28;
  readonly tlsFailed: 35;
  readonly tooManyRedirects: 47;
  readonly emptyResponse: 52;
  readonly receiveFailed: 56;
  readonly badCertificate: 60;
  readonly tooLarge: 63;
  readonly unreachable: 69;
  readonly internal: 70;
  readonly interrupted: 130;
  readonly unheard: 141;
} = {
  ok: 0,
  differed: 1,
  usage: 2,
  badUrl: 3,
  notResolved: 6,
  notConnected: 7,
  closedEarly: 18,
  refused: 22,
  writeFailed: 23,
  badInput: 26,
  timeout: 28,
  tlsFailed: 35,
  tooManyRedirects: 47,
  emptyResponse: 52,
  receiveFailed: 56,
  badCertificate: 60,
  tooLarge: 63,
  unreachable: 69,
  internal: 70,
  interrupted: 130,
  unheard: 141,
};

type ExitName = keyof typeof EXIT;

const MEANINGS: Readonly<Record<ExitName, string>> = {
  ok: "all went well, or nobody reads stdout any more",
  differed: "what came is not what it should be",
  usage: "the command line is not right",
  badUrl: "the URL is not right, or of a protocol that is not spoken",
  notResolved: "a name does not resolve",
  notConnected: "could not connect",
  closedEarly: "the server closed before all had come",
  refused: "the server answered with a status of 400 or above",
  writeFailed: "stdout, what came or the recording could not be written",
  badInput: "the input to send is not right",
  timeout: "a timeout passed",
  tlsFailed: "the TLS handshake failed",
  tooManyRedirects: "too many redirects",
  emptyResponse: "the server closed without a response",
  receiveFailed: "receiving failed, or what came is malformed",
  badCertificate: "the server's certificate is not to be trusted",
  tooLarge: "there is more than --max-size",
  unreachable: "no address takes connections; the report says why",
  internal: "a mistake in this program: please report it",
  interrupted: "ended by Ctrl-C (SIGINT); 143 by SIGTERM",
  unheard: "nobody reads stderr any more",
};

/** Codes as lines of a help; where there is a text beside the name, it stands for the usual meaning. */
function lines(meanings: Readonly<Partial<Record<ExitName, string>>>): string {
  const names = Object.keys(meanings) as ExitName[];
  return names.sort((a, b) => EXIT[a] - EXIT[b])
    .map((name) => `  ${String(EXIT[name]).padEnd(5)}${meanings[name]}`).join("\n");
}

function usual(names: readonly ExitName[]): Partial<Record<ExitName, string>> {
  return Object.fromEntries(names.map((name) => [name, MEANINGS[name]]));
}

/** The failures that can end any client: all print something. */
const ANY_CLIENT = [
  "usage",
  "notResolved",
  "writeFailed",
  "internal",
  "interrupted",
  "unheard",
] as const;

/**
 * The codes that a client can end with, as lines of its help: those that can end any of them, and
 * `names`. `others` has those that mean something else there.
 */
export function clientExitHelp(
  names: readonly ExitName[],
  others: Readonly<Partial<Record<ExitName, string>>> = {},
): string {
  return lines({ ...usual([...ANY_CLIENT, ...names]), ...others });
}

/** The codes that a server can end with, as lines of its help. */
export const SERVER_EXIT_HELP: string = lines({
  ...usual(["ok", "usage", "notResolved", "internal"]),
  notConnected: "could not listen",
  writeFailed: "stdout, or the recording, could not be written",
  interrupted: "Ctrl-C (SIGINT) has cut off what was under way; 143: SIGTERM has",
});

/** A failure of a command, other than of a socket, with the code to exit with. */
export class CliError extends Error {
  /** Always `"CliError"`. */
  override readonly name = "CliError";
  /** One of {@linkcode EXIT}. */
  readonly exitCode: number;

  /** The message is whole sentences: what was tried, why it failed, what to do next. */
  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Operations on a socket that is connected. */
const MOVING: ReadonlySet<SocketOp> = new Set(["read", "write", "closeWrite", "receive", "send"]);

/** The exit code of an error. */
export function exitCodeOf({ code, op }: SocketError): number {
  if (code === "ETIMEDOUT") return EXIT.timeout;
  if (code === "ECERT") return EXIT.badCertificate;
  if (op === "startTls") return EXIT.tlsFailed;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return EXIT.notResolved;
  if (code === "EPIPE") return EXIT.closedEarly;
  if (code === "EMSGSIZE") return EXIT.usage;
  if (code === "ECONNREFUSED" || code === "EACCES") return EXIT.notConnected;
  return MOVING.has(op) ? EXIT.receiveFailed : EXIT.notConnected;
}
