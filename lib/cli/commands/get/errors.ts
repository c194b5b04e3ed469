/**
 * The end of a `get` that fails: the exit code, what to do next, and what became of the bytes.
 *
 * @module
 */

import { SocketError } from "../../../base/errors.ts";
import {
  REQUEST_ERRORS,
  RequestError,
  type RequestErrorCode,
} from "../../../http/client/errors.ts";
import { helpsToTrust } from "../../../base/tls_errors.ts";
import { CliError, EXIT, exitCodeOf } from "../../io/exit.ts";

const CODES: Partial<Record<RequestErrorCode, number>> = {
  BAD_URL: EXIT.badUrl,
  BODY_TOO_LARGE: EXIT.tooLarge,
  EMPTY_RESPONSE: EXIT.emptyResponse,
  PARTIAL: EXIT.closedEarly,
  TOO_MANY_REDIRECTS: EXIT.tooManyRedirects,
};

/**
 * The next step by error code, in words of the command line. The error has it in words of the
 * library.
 */
export const NEXT: Partial<Record<RequestErrorCode, string>> = {
  BAD_CONTENT_ENCODING: "Without --compressed you get it as it was sent.",
  BAD_REDIRECT: "With --max-redirects 0 you get the redirect itself.",
  BODY_TOO_LARGE: "Raise --max-size, if you trust the server.",
  HEADERS_TOO_LARGE: "Raise --max-head, if you trust the server.",
  TOO_MANY_REDIRECTS: "Raise --max-redirects, unless they go round in circles.",
};

const HOW_TO_TRUST = "That is --cacert FILE; for tests only, --insecure trusts anybody.";

/** The error to end with: with its exit code, and with what became of the bytes received. */
export function explained(error: unknown, fate: string): unknown {
  const exitCode = codeOf(error);
  if (exitCode === undefined) return error;
  // A checksum that is not right says by itself where the bytes are.
  const suffix = fate === "" || exitCode === EXIT.differed ? "" : ` ${fate}`;
  const isTrust = exitCode === EXIT.badCertificate && helpsToTrust((error as Error).cause);
  const how = isTrust ? ` ${HOW_TO_TRUST}` : "";
  const message = messageOf(error as Error);
  return new CliError(exitCode, `${message}${how}${suffix}`, { cause: error });
}

function messageOf(error: Error): string {
  if (!(error instanceof RequestError)) return error.message;
  const next = NEXT[error.code];
  return next === undefined
    ? error.message
    : error.message.replace(REQUEST_ERRORS[error.code], next);
}

function codeOf(error: unknown): number | undefined {
  if (error instanceof SocketError) return exitCodeOf(error);
  if (error instanceof RequestError) return CODES[error.code] ?? EXIT.receiveFailed;
  return error instanceof CliError ? error.exitCode : undefined;
}
