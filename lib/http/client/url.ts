/**
 * URLs of requests: checked before anything is sent, since what they hold ends up in the request.
 *
 * @module
 */

import { RequestError } from "./errors.ts";

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/**
 * Parses an absolute http or https URL. Throws {@linkcode RequestError} BAD_URL for another scheme,
 * for white space and control characters, which `URL` would drop, and for what is no URL.
 */
export function parseUrl(text: string): URL {
  if (text === "") throw badUrl("''", "the URL is empty");
  if (text.includes(" ")) throw badUrl(text, "a space is in it, which a URL has as %20");
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x20\x7f]/.test(text)) {
    throw badUrl(text, "white space or a control character is in it");
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
  if (scheme === undefined) throw badUrl(text, "it does not begin with a scheme and ://");
  if (!Object.hasOwn(PORTS, `${scheme}:`)) {
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
  return known ? "it is not a URL" : `its port '${port}' is no number from 0 to 65535`;
}

/** The host, without brackets, and the port that a URL leads to. */
export function endpointOf({ protocol, hostname, port }: URL): { host: string; port: number } {
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return { host, port: port === "" ? PORTS[protocol] : Number(port) };
}

/** The URL without what is secret in it. */
export function publicUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = shown.password = "";
  return shown.href;
}

/** The value of Authorization that the user name and password in a URL ask for, if there are any. */
export function basicAuth({ username, password, href }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(pair)))}`;
  } catch (cause) {
    throw badUrl(publicUrl(new URL(href)), "its user name or password is not UTF-8", cause);
  }
}

function badUrl(text: string, why: string, cause?: unknown): RequestError {
  const shown = JSON.stringify(text.replace(/\/\/[^/?#@]*@/, "//")).slice(1, -1);
  return new RequestError("BAD_URL", shown, why, cause === undefined ? undefined : { cause });
}
