/**
 * The command line of `web`.
 *
 * @module
 */

import type { Credentials } from "../../../base/basic_auth.ts";
import type { SiteOptions } from "../../../files/site.ts";
import { type CommandLine, commandLine, type CommandOptions, optionsOnly } from "../../command.ts";
import {
  integer,
  list,
  needing,
  optional,
  size,
  text,
  toggle,
  UsageError,
  type Values,
} from "../../io/flags.ts";
import type { Io } from "../../io/io.ts";
import {
  ACCESS_FLAGS,
  type AccessOptions,
  parseAccess,
  shareOf,
} from "../../options/access_flags.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import { hostFlag, isAnyHost } from "../../options/host.ts";
import { INSTRUMENT_FLAGS, parseInstruments } from "../../options/instrument_flags.ts";
import { LIMIT_FLAGS } from "../../options/limits.ts";
import { FD_FLAGS, namedListenAddress, UNIX_FLAGS } from "../../options/listen_address.ts";
import { METRICS_FLAGS, type MetricsOptions, parseMetrics } from "../../options/metrics.ts";
import { SERVICE_FLAGS } from "../../options/service_manager.ts";
import { parseProxies, PROXY_FLAGS } from "../../options/proxy_protocol.ts";
import { parseTls, TLS_FLAGS, type TlsServerChoice } from "../../options/tls_server.ts";
import { parseTrustProxy, TRUST_PROXY_FLAG } from "../../options/trust_proxy.ts";
import { checkCacheControl, parseFields } from "./header_flags.ts";
import { allowHostFlag, servedNames } from "../../options/allow_host.ts";
import type { WebListenAddress } from "./listen.ts";
import { parseWorkers, WORKER_FLAGS, type WorkerOptions } from "../../options/workers.ts";
import { typeFlag } from "./media_type_flag.ts";
import { AUTH_FLAGS, type AuthOptions, parseAuth } from "./users.ts";

const LOOPBACK = "127.0.0.1";

const FLAGS = {
  host: optional(hostFlag("", `address to listen on; '' for any (default ${LOOPBACK})`)),
  port: optional(
    integer(
      "PORT",
      [0, 65535],
      0,
      "port; 0 = one that is free (default 8080, or the next free)",
    ),
  ),
  lan: toggle("let others in the network in: all addresses, with a QR code"),
  ...UNIX_FLAGS,
  ...FD_FLAGS,
  ...SERVICE_FLAGS,
  ...METRICS_FLAGS,
  ...WORKER_FLAGS,
  ...TLS_FLAGS,
  ...ACCESS_FLAGS,
  ...PROXY_FLAGS,
  "trust-proxy": TRUST_PROXY_FLAG,
  "allow-host": allowHostFlag(),
  spa: toggle("answer /index.html where there is no page (single-page apps)"),
  dotfiles: toggle("serve names that start with a dot, too"),
  "cache-control": optional(text("VALUE", "", "Cache-Control of files (default no-cache)")),
  type: typeFlag(),
  header: {
    secret: true,
    ...list("'NAME: VALUE'", "add a field to every response; may be repeated", "H"),
  },
  cors: toggle("let scripts of other sites read"),
  ...AUTH_FLAGS,
  upload: toggle("take files: PUT makes or replaces one; listings have a form"),
  "max-upload": needing(
    "upload",
    size([1, Number.MAX_SAFE_INTEGER], 2 ** 30, "most bytes of an upload (default 1 GiB)"),
  ),
  "max-connections": integer(
    "N",
    [1, 1e6],
    1024,
    "connections at once; slow ones make room (default 1024)",
  ),
  grace: LIMIT_FLAGS.grace,
  ...INSTRUMENT_FLAGS,
  open: toggle("open the site in the browser, and with --watch the page, too"),
  ...GENERAL_FLAGS,
};

type WebValues = Values<typeof FLAGS>;

/** The limits of `web`. */
export interface WebLimits {
  /** The most connections at once. */
  readonly maxConnections: number;
  /**
   * The drain timeout: the time that requests get to finish when the server stops, in milliseconds.
   */
  readonly drainTimeout: number;
  /** The most bytes of an upload. Undefined: no uploads. */
  readonly upload: number | undefined;
}

/** Options of `web`. */
export interface WebOptions extends CommandOptions {
  readonly dir: string;
  /** A socket that systemd passes goes before it. */
  readonly listenAddress: WebListenAddress;
  /** Whether systemd has started it. */
  readonly systemd: boolean;
  /** Undefined: no metrics. */
  readonly metrics: MetricsOptions | undefined;
  /** Undefined: no TLS. */
  readonly tls: TlsServerChoice | undefined;
  /** The clients that may connect. Undefined is all. */
  readonly access: AccessOptions | undefined;
  /** The proxies whose word for their clients counts. */
  readonly trustProxy: readonly string[];
  /** The users who may see the site. Undefined is all. */
  readonly auth: AuthOptions | undefined;
  readonly site: SiteOptions;
  readonly limits: WebLimits;
  /** Undefined is one loop. */
  readonly workers: WorkerOptions | undefined;
  /** Whether the URL for others in the network is logged. */
  readonly lan: boolean;
  /** Whether the browser is opened. */
  readonly open: boolean;
}

async function parseWeb(
  values: WebValues,
  positionals: string[],
  io: Io,
): Promise<WebOptions> {
  const { lan, open, host } = values;
  const dir = positionals.shift() ?? ".";
  await optionsOnly(positionals, "web serves one DIR");
  const auth = parseAuth(values, io.env);
  const site = parseSite(values, auth?.credentials);
  const tls = parseTls(values);
  const listenAddress = parseListenAddress(values, tls !== undefined);
  const access = parseAccess(values, shareOf(lan ? "" : host, values));
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { serves: true, workers: values.workers }),
    proxies: parseProxies(values),
    dir,
    listenAddress,
    systemd: values.systemd,
    metrics: parseMetrics(values, values.systemd ? {} : listenAddress),
    tls,
    access,
    trustProxy: parseTrustProxy(values),
    auth,
    site,
    limits: {
      maxConnections: values["max-connections"],
      drainTimeout: values.grace,
      upload: values.upload ? values["max-upload"] : undefined,
    },
    workers: parseWorkers(values, access, { rereads: auth?.file !== undefined }),
    lan,
    open,
  };
}

function parseSite(values: WebValues, credentials: Credentials | undefined): SiteOptions {
  const { spa, dotfiles, upload, cors } = values;
  const cacheControl = values["cache-control"];
  return {
    spa,
    dotfiles,
    upload,
    cors,
    headers: parseFields(values.header, cors),
    types: values.type,
    hosts: servedNames(values, credentials !== undefined),
    ...cacheControl === undefined ? {} : { cacheControl: checkCacheControl(cacheControl) },
    ...credentials === undefined ? {} : { credentials },
  };
}

/** Parses the listen address. */
function parseListenAddress(values: WebValues, tls: boolean): WebListenAddress {
  const { host, port, lan, open } = values;
  const named = namedListenAddress(values, { host, port, lan, open, tls });
  if (named !== undefined) return named;
  if (lan && host !== undefined) {
    throw new UsageError("Options --lan and --host exclude each other: --lan is for all addresses");
  }
  if (lan) return { host: "", port };
  if (host === undefined) return { host: LOOPBACK, port };
  return { host: isAnyHost(host) ? "" : host, port };
}

/** The command line. */
export const WEB_LINE: CommandLine<WebOptions> = commandLine(FLAGS, parseWeb);
