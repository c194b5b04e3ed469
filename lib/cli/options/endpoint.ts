/**
 * `HOST:PORT` on the command line, with brackets around an IPv6 address as in URLs (RFC 3986 section
 * 3.2.2).
 *
 * @module
 */

import { parseIP } from "../../base/ip.ts";
import type { Endpoint } from "../../base/addr.ts";
import { noMore } from "./common.ts";
import { UsageError } from "../io/flags.ts";

/** Reads `HOST:PORT`. Throws a {@linkcode UsageError} that says what to write instead. */
export function parseEndpoint(text: string): Endpoint {
  if (text.includes("://")) throw new UsageError(`'${text}' is a URL: ${insteadOfUrl(text)}`);
  const { host, port } = split(text);
  if (host === "") {
    throw new UsageError(
      `'${text}' has no host: write HOST:PORT, or localhost:PORT for this machine`,
    );
  }
  // Characters that no name and no address has. A name that is only unusual is left to the
  // resolver.
  if (/[\s/?#@[\]]/.test(host)) throw new UsageError(`'${host}' is not a host: write HOST:PORT`);
  const n = /^\d{1,5}$/.test(port) ? Number(port) : NaN;
  if (n >= 1 && n <= 65535) return { host, port: n };
  throw new UsageError(`'${text}': a port is a whole number from 1 to 65535, not '${port}'`);
}

/** Nothing may be left over after `HOST:PORT`, such as the port that users of nc put there. */
export function noMoreThanEndpoint(text: string, more: readonly string[], advice: string): void {
  const [next = ""] = more;
  if (/^\d+(-\d+)?$/.test(next)) {
    const host = text.includes(":") ? `[${text}]` : text;
    throw new UsageError(`The port goes with the host: write ${host}:${next}`);
  }
  noMore(more, advice);
}

function split(text: string): { host: string; port: string } {
  const bracketed = /^\[([^\]]*)\](.*)$/s.exec(text);
  if (bracketed !== null) {
    const [, host, rest] = bracketed;
    if (!isIPv6(host)) {
      throw new UsageError(`'${text}': in brackets stands an IPv6 address, which '${host}' is not`);
    }
    if (rest.startsWith(":") && rest !== ":") return { host, port: rest.slice(1) };
    throw new UsageError(`'${text}' has no port: write [${host}]:PORT`);
  }
  if (/^\d+$/.test(text)) {
    throw new UsageError(`'${text}' is a port without a host: write localhost:${text}`);
  }
  const colon = text.lastIndexOf(":");
  const [host, port] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  if (host.includes(":")) throw new UsageError(unbracketed(text, host, port));
  if (colon >= 0 && port !== "") return { host, port };
  throw new UsageError(`'${text}' has no port: write ${host || text || "HOST"}:PORT`);
}

/** The advice for a text with more than one colon and no brackets. */
function unbracketed(text: string, host: string, port: string): string {
  // "::1:80" is an address by itself, too, but who writes it means the port.
  if (isIPv6(host) && /^\d+$/.test(port)) {
    return `'${text}': an IPv6 address stands in brackets: write [${host}]:${port}`;
  }
  if (isIPv6(text)) return `'${text}' is an IPv6 address without a port: write [${text}]:PORT`;
  const [, rest] = /^udp:(.+)$/i.exec(text) ?? [];
  if (rest !== undefined) {
    return `'${text}' is for datagrams, which nothing relays: 'connect --udp ${rest}' sends some`;
  }
  return `'${text}' has too many colons: write HOST:PORT, and an IPv6 address in brackets`;
}

function insteadOfUrl(text: string): string {
  try {
    const { hostname, port, protocol } = new URL(text);
    const known = port || { "http:": "80", "https:": "443" }[protocol];
    if (hostname !== "") return `write ${hostname}:${known ?? "PORT"}`;
  } catch {
    // Not a URL after all; it is not HOST:PORT either.
  }
  return "write HOST:PORT";
}

/** Whether it is an IPv6 address, with or without a zone (RFC 4007 section 11). */
function isIPv6(text: string): boolean {
  return text.includes(":") && parseIP(text.replace(/%.+$/, "")) !== undefined;
}
