/**
 * Flags of `server.ts web` about header fields.
 *
 * @module
 */

import { TOKEN } from "../../../base/header_fields.ts";
import { UsageError } from "../../io/flags.ts";
import { escapedText } from "../../io/quote.ts";

/** Fields about one response, or about one connection: they cannot be the same in all responses. */
const TAKEN: ReadonlySet<string> = new Set([
  "accept-ranges",
  "allow",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "date",
  "etag",
  "keep-alive",
  "last-modified",
  "location",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "vary",
  "www-authenticate",
]);

/** The fields of `--cors`, in responses to all requests and to preflights. */
const CORS: ReadonlySet<string> = new Set([
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "access-control-max-age",
]);

const FIELD = new RegExp(
  `^(${TOKEN}):[ \\t]*([\\x21-\\x7e](?:[\\t\\x20-\\x7e]*[\\x21-\\x7e])?)?[ \\t]*$`,
);

/** The values of `--header` as names and values by turns. Throws a {@linkcode UsageError}. */
export function parseFields(texts: readonly string[], cors: boolean): string[] {
  return texts.flatMap((text) => {
    const match = FIELD.exec(text);
    if (match === null) {
      throw new UsageError(
        `Option --header takes 'Name: value' in ASCII, not '${escapedText(text)}'`,
      );
    }
    const [, name, value = ""] = match;
    const lower = name.toLowerCase();
    if (lower === "cache-control") {
      throw new UsageError("Option --header cannot set Cache-Control; --cache-control does");
    }
    if (TAKEN.has(lower)) {
      throw new UsageError(
        `Option --header cannot set ${name}: the server does, for each response`,
      );
    }
    if (cors && CORS.has(lower)) {
      throw new UsageError(`Option --header cannot set ${name}: --cors does`);
    }
    return [name, value];
  });
}

/** The value of `--cache-control`, if it is one. Throws a {@linkcode UsageError}. */
export function checkCacheControl(value: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return value;
  throw new UsageError(
    `Option --cache-control takes a value as in 'max-age=3600', not '${escapedText(value)}'`,
  );
}
