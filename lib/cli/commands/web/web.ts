/**
 * `server.ts web [DIR]`: a directory as a web site.
 *
 * @module
 */

import type { LightRequest } from "../../../http/server/light.ts";
import type { HttpOptions } from "../../../http/server/options.ts";
import { serveLight } from "../../../http/server/server.ts";
import { statusOfError } from "../../../files/disk.ts";
import type { Credentials } from "../../../files/auth.ts";
import { AccessLog } from "../../../files/access_log.ts";
import { makeSite, type SiteOptions } from "../../../files/site.ts";
import { ACCESS_FLAGS, ACCESS_HELP, openAccess, shareOf } from "../../options/access.ts";
import { type Command, command } from "../../command.ts";
import { INSTRUMENT_FLAGS, INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { GENERAL_FLAGS, noMore } from "../../options/common.ts";
import { SERVER_EXIT_HELP } from "../../io/exit.ts";
import { placeAdvice } from "../../advice/first_word.ts";
import {
  integer,
  list,
  needing,
  optional,
  renderFlags,
  size,
  text,
  toggle,
  UsageError,
  type Values,
} from "../../io/flags.ts";
import { WEB_HINTS } from "../../advice/hints.ts";
import { hostFlag } from "../../options/host.ts";
import type { Log } from "../../io/log.ts";
import { LIMIT_FLAGS } from "../../serving/serving.ts";
import { isAnyHost } from "../../serving/addresses.ts";
import { UNIX_FLAGS, unixPlace } from "../../serving/place.ts";
import { conclude, tellMistake, tellStop } from "../../serving/tell.ts";
import { handshakeCallbacks, TLS_FLAGS, tlsServerOptions, wantsTls } from "../../serving/tls.ts";
import type { Session } from "../../session.ts";
import { openTransport } from "../../options/transport.ts";
import { Shortage } from "../../serving/shortage.ts";
import { openBrowser } from "./browser.ts";
import { checkDirectory } from "./directory.ts";
import { checkCacheControl, parseFields } from "./fields.ts";
import { AUTHORIZATION_FIELDS, redacting } from "../../../observe/redact.ts";
import { allowHostFlag, servedNames } from "./hosts.ts";
import { describeLan } from "./lan.ts";
import { typeFlag } from "./types.ts";
import { listenForWeb, siteUrl, type WebAddress } from "./listen.ts";
import { webTranscript } from "./transcript.ts";
import { AUTH_FLAGS, credentialsOf, followFile } from "./users.ts";

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
  ...TLS_FLAGS,
  ...ACCESS_FLAGS,
  "allow-host": allowHostFlag(),
  open: toggle("open the browser"),
  spa: toggle("answer /index.html where there is no page (single-page apps)"),
  dotfiles: toggle("serve names that start with a dot, too"),
  "cache-control": optional(text("VALUE", "", "Cache-Control of files (default no-cache)")),
  type: typeFlag(),
  header: list("'NAME: VALUE'", "add a field to every response; may be repeated", "H"),
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
    "connections at once; silent ones make room (default 1024)",
  ),
  grace: LIMIT_FLAGS.grace,
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

type WebValues = Values<typeof FLAGS>;

const HELP = `A directory as a web site.

  deno run -A server.ts web                    the current directory
  deno run -A server.ts web --open dist        another one, in your browser
  deno run -A server.ts web --lan photos       for the phones in your network, too
  npx plainsocket server web dist              the same on Node

Usage: server.ts web [DIR] [options]

Directories without an index.html are listed. Ranges, conditional requests and compression work as
browsers like it. Only this machine can connect unless --lan or --host says otherwise.

Options:
${renderFlags(FLAGS)}

stdout gets one line: the URL. stderr gets a line for each request in the Common Log Format, or as
JSON with --log json. With -v each head is shown, with *** for passwords. Ctrl-C or SIGTERM stops
accepting and lets requests finish for the grace time.

${ACCESS_HELP}

SIGHUP reads the file of --auth @FILE again, too, and on its own: if it is not right, user and
password stay as they were, whatever the networks do.

Without --auth, a request for a name that is not known to be the server's is refused with 421, since
any page could have a name of its own lead here and read what is served. Known are IP addresses,
localhost and names below it, --host, the name of this machine (on Deno with --allow-sys=hostname),
and each --allow-host NAME. Behind a proxy that passes Host on, add the names that it serves.

With Deno, no more is needed than --allow-net=127.0.0.1:8080 --allow-read=DIR; for uploads
--allow-write=DIR, for --open --allow-run, for --lan --allow-net --allow-sys=networkInterfaces.

${INSTRUMENT_HELP}

Exit codes:
${SERVER_EXIT_HELP}
`;

/** The command. */
export const web: Command = command({
  name: "web",
  flags: FLAGS,
  help: HELP,
  hints: WEB_HINTS,
  run: serveWeb,
});

async function serveWeb(
  values: WebValues,
  positionals: string[],
  session: Session,
): Promise<number> {
  const dir = positionals.shift() ?? ".";
  noMore(positionals, placeAdvice(positionals) ?? "web serves one DIR");
  const credentials = credentialsOf(values, session.io.env);
  const site = siteOptions(values, credentials);
  const secure = wantsTls(values);
  const plain = addressOf(values, secure);

  const signals = session.onSignals();
  const log = session.openLog(values);
  await checkDirectory(dir, values);
  const shortage = new Shortage(log, session.io.clock);
  const transport = shortage.watch(
    openTransport(session, webTranscript(), redacting(AUTHORIZATION_FIELDS)),
  );
  const onReload = (reload: () => void) => session.onReload(reload);
  const share = shareOf(values.lan ? "" : values.host, values["max-connections"]);
  const access = openAccess(values, log, onReload, share);
  if (credentials !== undefined) followFile(credentials, values, log, onReload);
  const address = secure && "host" in plain
    ? {
      ...plain,
      tls: {
        ...await tlsServerOptions(values, plain.host, log),
        alpnProtocols: ["http/1.1"],
        ...handshakeCallbacks(access, log),
      },
    }
    : plain;
  const listening = listenForWeb(transport, address, (message) => log.note(message));
  const listener = await session.untilListening(listening);
  const scheme = secure ? "https" : "http";
  const url = siteUrl(listener.addr, scheme);
  await session.print(`${url}\n`);
  log.note(`serving ${dir === "." ? "the current directory" : dir}; Ctrl-C stops`);
  if (values.lan && "port" in listener.addr) tellLan(log, values, listener.addr.port, scheme);
  if (values.open) {
    openBrowser(url, session.io.env, (why) => log.note(`could not open the browser: ${why}`));
  }

  tellStop("requests", values.grace, log, signals);
  const requests = new AccessLog({
    write: (lines) => log.lines(lines),
    format: values.log === "json" ? "json" : "clf",
    users: site.credentials !== undefined,
  });
  const onError = (error: unknown, request: LightRequest | undefined) => {
    const asked = request === undefined ? "" : `${request.method} ${request.target}: `;
    // Files come and go while they are sent: that is nobody's mistake.
    if (statusOfError(error) === 500) tellMistake(error, log, asked);
    else log.note(asked + (error as Error).message);
  };
  const options: HttpOptions = {
    signal: signals.signal,
    clock: session.io.clock,
    maxConnections: values["max-connections"],
    admission: access,
    drainTimeout: values.grace,
    limits: values.upload ? { body: values["max-upload"] } : {},
    onError,
    onResponse: log.quiet ? undefined : (exchange) => requests.record(exchange),
  };
  const onShortage = (error: unknown) => shortage.heed(error);
  const handler = makeSite(
    dir,
    { ...site, onError, onShortage },
    (name) => `start it with --allow-host ${name}`,
  );
  const summary = await serveLight(listener, handler, options).finished;
  requests.flush();
  return conclude(summary, access, log, signals);
}

function siteOptions(values: WebValues, credentials: Credentials | undefined): SiteOptions {
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

/** Where it is to listen. */
function addressOf(values: WebValues, tls: boolean): WebAddress {
  const { host, port, lan, open } = values;
  const unix = unixPlace(values, { host, port, lan, open, tls });
  if (unix !== undefined) return unix;
  if (lan && host !== undefined) {
    throw new UsageError("Options --lan and --host exclude each other: --lan is for all addresses");
  }
  if (lan) return { host: "", port };
  if (host === undefined) return { host: LOOPBACK, port };
  return { host: isAnyHost(host) ? "" : host, port };
}

function tellLan(log: Log, values: WebValues, port: number, scheme: "http" | "https"): void {
  for (const line of describeLan(port, scheme, values.log === "text")) log.note(line);
  if (values.auth === undefined && values["auth-env"] === undefined) {
    const may = values.upload ? "read it and add to it" : "read it";
    log.note(`everyone in the network may ${may}; --auth asks for a password`);
  } else if (scheme === "http") log.note("the password crosses the network unencrypted");
}
