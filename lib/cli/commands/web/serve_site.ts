/**
 * The site of `server.ts web`, and its access log: of a server without workers, and of each worker.
 *
 * @module
 */

import { statusOfError } from "../../../files/located_file.ts";
import { makeSite } from "../../../files/make_site.ts";
import type { SiteOptions } from "../../../files/site.ts";
import type { LightRequest } from "../../../http/server/light.ts";
import type { HttpOptions } from "../../../http/server/options.ts";
import { tracedLight } from "../../../http/fetch/traced.ts";
import { serveLight } from "../../../http/server/server.ts";
import type { Listener } from "../../../net/transport.ts";
import type { ServeSummary } from "../../../serve/serve.ts";
import type { Log } from "../../io/log.ts";
import { ATOMIC } from "../../io/program_output.ts";
import type { Shortage } from "../../serving/resource_shortage.ts";
import { logMistake } from "../../serving/server_log.ts";
import { AccessLog } from "./access_log.ts";
import { requestIdOf } from "./request_id.ts";
import type { AuthOptions } from "./users.ts";

/** A site. Plain data, which workers get, too. */
export interface Site {
  readonly dir: string;
  readonly options: SiteOptions;
  /** The users who may see the site. Undefined: everyone. */
  readonly auth: AuthOptions | undefined;
  /** The proxies that are trusted to say who their clients are. */
  readonly trustProxy: readonly string[];
  /** The most bytes of an upload. Undefined: no uploads. */
  readonly upload: number | undefined;
}

/** Options of {@linkcode serveSite}. */
export interface SiteRun {
  readonly log: Log;
  readonly shortage: Shortage;
  /** Whether other processes write to the same log. */
  readonly isWorker: boolean;
  readonly serving: Pick<
    HttpOptions,
    "signal" | "clock" | "maxConnections" | "onFull" | "admission" | "drainTimeout" | "metrics"
  >;
}

/** Serves a site, and logs the requests, until the signal is aborted. */
export async function serveSite(
  listener: Listener,
  { dir, options, auth, trustProxy, upload }: Site,
  { log, shortage, isWorker, serving }: SiteRun,
): Promise<ServeSummary> {
  // Not a copy: the object changes when its file does.
  const credentials = auth?.credentials;
  const requests = new AccessLog({
    write: (lines) => log.lines(lines),
    format: log.json ? "json" : "clf",
    users: credentials !== undefined,
    ...isWorker && { most: ATOMIC },
  });
  const onError = (error: unknown, request: LightRequest | undefined) => {
    const asked = request === undefined ? "" : `${shown(request, log)}: `;
    // A file may be removed while it is sent: that is not a bug.
    if (statusOfError(error) === 500) logMistake(error, log, asked);
    else log.note(asked + (error as Error).message);
  };
  const onShortage = (error: unknown) => shortage.heed(error);
  const receive = options.upload
    ? (await import("../../../files/upload.ts")).receiveUploads
    : undefined;
  const handler = makeSite(dir, {
    ...options,
    ...credentials && { credentials },
    adviceOnHost: (name) => `start it with --allow-host ${name}`,
    onError,
    onShortage,
  }, receive);
  const summary = await serveLight(listener, tracedLight(handler), {
    ...serving,
    trustProxy,
    limits: upload === undefined ? {} : { maxSize: upload },
    onError,
    onResponse: log.quiet ? undefined : (exchange) => requests.record(exchange),
  }).finished;
  requests.flush();
  return summary;
}

/** Describes a request for a message; with its id if the log has that, too. */
function shown(request: LightRequest, log: Log): string {
  const line = `${request.method} ${request.target}`;
  return log.json ? `${line} (request ${requestIdOf(request)})` : line;
}
