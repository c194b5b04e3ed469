/**
 * The names by which a server may be asked. Any page can have a name of its own lead to this machine,
 * and its scripts then talk to what listens here as to their own server (DNS rebinding). What they
 * cannot do is send another Host than that name.
 *
 * @module
 */

import {
  checkArgument,
  checkOptions,
  FIELDS,
  FUNCTION,
  HANDLER,
  type Kinds,
  TEXTS,
} from "../../base/arguments.ts";
import { hostNameOf } from "../../base/url.ts";
import { HttpError } from "../message/errors.ts";
import type { LightHandler, LightResponse } from "../server/light.ts";
import { type AnyHandler, toAnyHandler } from "./fetch_handler.ts";

/** The most spellings of known hosts that are remembered. */
const MOST_KNOWN = 64;

/** Options of {@linkcode requireHost}. */
export interface RequireHostOptions {
  /** The names of the server besides IP addresses and localhost, such as `example.com`. Default: none. */
  readonly hosts?: readonly string[];
  /** Fields of the refusal, names and values by turns. Default: none. */
  readonly headers?: readonly string[];
  /**
   * Returns what has to be done if a name is one of the server's, for the text of the refusal, which
   * begins it with "If it is one, ". Default: it has to be added to the hosts of this site.
   */
  readonly adviceOnHost?: (name: string) => string;
}

const OPTIONS: Kinds<RequireHostOptions> = {
  hosts: TEXTS,
  headers: FIELDS,
  adviceOnHost: FUNCTION,
};

/**
 * Makes a handler that passes requests on to `handler` if they are for an IP address, for localhost or
 * a name below it, or for one of `hosts`, at any port. It answers others with 421, whose
 * {@linkcode HttpError} is UNKNOWN_HOST. Requests without a host are passed on: no browser sends such.
 *
 * Servers without a password on this machine or in a private network need it, WebSockets too. A
 * handler for `serveHttp()` goes through {@linkcode fromFetchHandler}.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { fromFetchHandler, requestHttp, requireHost, serveHttp } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const hello = fromFetchHandler(() => new Response("hello"));
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveHttp(listener, requireHost(hello, { hosts: ["example.com"] }));
 *
 * const url = new URL(`http://127.0.0.1:${listener.addr.port}/`);
 * const ask = async (...headers: string[]) =>
 *   await (await requestHttp(systemTransport, { url, headers })).text();
 * assert.equal(await ask(), "hello");
 * assert.equal(await ask("Host", "example.com"), "hello");
 * assert.match(await ask("Host", "evil.example"), /^evil.example is not known/);
 *
 * await server.stop();
 * ```
 */
export function requireHost(handler: LightHandler, options: RequireHostOptions = {}): AnyHandler {
  checkArgument("requireHost", handler, HANDLER);
  checkOptions("requireHost", options, OPTIONS, '{ hosts: ["example.com"] }');
  const {
    hosts = [],
    headers = [],
    adviceOnHost = () => "it has to be added to the hosts of this site",
  } = options;
  const served = new Set(hosts.map(hostNameOf));
  const known = new Set<string>([""]);
  return toAnyHandler((request) => {
    const { host } = request;
    if (known.has(host)) return handler(request);
    const name = hostNameOf(host);
    if (name === undefined) return refused("The Host of this request is not a name", headers);
    if (!isLocal(name) && !served.has(name)) {
      const next = `If it is one, ${adviceOnHost(name)}`;
      return refused(`${name} is not known to be a name of this server. ${next}`, headers);
    }
    if (known.size < MOST_KNOWN) known.add(host);
    return handler(request);
  });
}

function refused(why: string, headers: readonly string[]): LightResponse {
  return {
    status: 421,
    headers: ["Content-Type", "text/plain;charset=utf-8", ...headers],
    body: `${why}.\n`,
    error: new HttpError(421, "UNKNOWN_HOST", why),
  };
}

/** Whether no name server has a say in where it leads. A URL has each IPv4 address in four numbers. */
function isLocal(name: string): boolean {
  return name.startsWith("[") || /^[\d.]+$/.test(name) ||
    name === "localhost" || name.endsWith(".localhost");
}
