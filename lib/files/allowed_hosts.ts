/**
 * The names that a site is served by. Any page can have a name of its own lead to this machine, and its
 * scripts then talk to what listens here as to their own server (DNS rebinding). What they cannot do is
 * send another Host than that name.
 *
 * @module
 */

import { hostNameOf } from "../base/url.ts";
import { HttpError } from "../http/message/errors.ts";
import type { LightHandler, LightResponse } from "../http/server/light.ts";
import { textResponse } from "./refusal.ts";

/** The most spellings of served hosts that are remembered. */
const MOST_KNOWN = 64;

/**
 * Lets requests through to `handler` that are for an IP address, for localhost or a name below it, or
 * for one of `names`, at any port; answers others with 421. Requests without a host are let through:
 * no browser sends such. `headers` are fields of the refusal, names and values by turns; `adviceOn` says
 * what to do if a name is one of this server's: "If it is one, …".
 */
export function requireHost(
  handler: LightHandler,
  names: readonly string[],
  headers: readonly string[] = [],
  adviceOn: (name: string) => string = () => "it has to be added to the hosts of this site",
): LightHandler {
  const served = new Set(names.map(hostNameOf));
  const known = new Set<string>([""]);
  return (request) => {
    const { host } = request;
    if (known.has(host)) return handler(request);
    const name = hostNameOf(host);
    if (name === undefined) return refused("The Host of this request is not a name", headers);
    if (!isLocal(name) && !served.has(name)) {
      const next = `If it is one, ${adviceOn(name)}`;
      return refused(`${name} is not known to be a name of this server. ${next}`, headers);
    }
    if (known.size < MOST_KNOWN) known.add(host);
    return handler(request);
  };
}

function refused(why: string, headers: readonly string[]): LightResponse {
  const error = new HttpError(421, "UNKNOWN_HOST", why);
  return { ...textResponse(421, why, headers), error };
}

/** Whether no name server has a say in where it leads. A URL has each IPv4 address in four numbers. */
function isLocal(name: string): boolean {
  return name.startsWith("[") || /^[\d.]+$/.test(name) ||
    name === "localhost" || name.endsWith(".localhost");
}
