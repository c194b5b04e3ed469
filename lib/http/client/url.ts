/**
 * URLs of requests: checked before anything is sent, since what they hold ends up in the request.
 *
 * @module
 */

import { checkArgument, TEXT } from "../../base/arguments.ts";
import { DEFAULT_PORTS, withoutCredentials } from "../../base/url.ts";
import { RequestError } from "./errors.ts";

/**
 * Parses an absolute http or https URL for {@linkcode requestHttp}. Throws a {@linkcode RequestError}
 * BAD_URL for another scheme, for white space and control characters, which `URL` would drop, and for
 * text that is not a URL. Throws a TypeError for anything but text.
 */
export function parseUrl(text: string): URL {
  checkArgument("parseUrl", text, TEXT);
  if (text === "") throw badUrl("''", "the URL is empty");
  if (text.includes(" ")) throw badUrl(text, "a space is in it, which a URL has as %20");
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x20\x7f]/.test(text)) {
    throw badUrl(text, "white space or a control character is in it");
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
  if (scheme === undefined) throw badUrl(text, "it does not begin with a scheme and ://");
  if (!Object.hasOwn(DEFAULT_PORTS, `${scheme}:`)) {
    throw badUrl(text, `the protocol '${scheme}' is not spoken here`);
  }
  try {
    return new URL(text);
  } catch (cause) {
    throw badUrl(text, whyNoUrl(text), cause);
  }
}

/** Says what is wrong with a text that `URL` does not take. */
function whyNoUrl(text: string): string {
  const authority = /^[^/]*\/\/([^/?#]*)/.exec(text)?.[1] ?? "";
  const [, host, port = ""] = /^(?:.*@)?(.*?)(?::([^:\]]*))?$/.exec(authority) ?? [];
  if (host === "") return "it names no host";
  const known = port === "" || (/^\d+$/.test(port) && Number(port) <= 65535);
  return known ? "it is not a URL" : `its port '${port}' is not a number from 0 to 65535`;
}

/** The value of Authorization that the user name and password in a URL ask for, if there are any. */
export function basicAuth({ username, password, href }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(pair)))}`;
  } catch (cause) {
    throw badUrl(
      withoutCredentials(new URL(href)),
      "its user name or password is not UTF-8",
      cause,
    );
  }
}

function badUrl(text: string, why: string, cause?: unknown): RequestError {
  const shown = JSON.stringify(text.replace(/\/\/[^/?#@]*@/, "//")).slice(1, -1);
  return new RequestError("BAD_URL", shown, why, cause === undefined ? undefined : { cause });
}
