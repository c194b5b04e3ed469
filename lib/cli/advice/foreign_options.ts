/**
 * Options that users know from elsewhere, and what to say of them.
 *
 * @module
 */

import type { Hints } from "../io/flags.ts";

/** The same hint for several options, with spaces between. */
function same(options: string, hint: string): Hints {
  return Object.fromEntries(options.split(" ").map((option) => [option, hint]));
}

/** Options of another command of the same script. */
function of(command: string, options: string): Hints {
  return Object.fromEntries(
    options.split(" ").map((
      option,
    ) => [option, `it is one of ${command}: say '${command} ${option}'`]),
  );
}

/** Deno's, which do nothing after the name of the script. */
export const DENO_HINTS: Hints = same(
  "-A --allow-all --allow-net --allow-read --allow-write --allow-run --allow-env --allow-sys " +
    "--unstable-net",
  "it is an option of Deno, and goes before the script",
);

/** Those that mean the same to all commands. */
export const GENERAL_HINTS: Hints = { ...DENO_HINTS, ...same("-? --?", "say --help") };

const WITH_TLS = "say --tls-cert FILE --tls-key FILE, or --tls-self-signed";

/** Those that mean the same to all servers. */
const COMMON_HINTS: Hints = {
  ...same("-p", "say --port"),
  ...same("-a --address --bind", "say --host"),
  ...same("-l --listen", "it listens without it; --host and --port say where"),
  ...same("-4", "say --host 127.0.0.1, or another IPv4 address of this machine"),
  ...same("-6", "say --host ::1, or another IPv6 address of this machine"),
  ...same("-U --unixsock", "say --unix"),
  ...same("--ssl --tls --https", WITH_TLS),
  ...same("-m --max-conns", "say --max-connections"),
  ...same("--ssl-cert", "say --tls-cert"),
  ...same("-K --ssl-key", "say --tls-key"),
  ...same("--silent", "say --quiet"),
  ...same(
    "--accept-proxy --haproxy-protocol",
    "say --proxy-protocol with the networks of the proxies",
  ),
};

const KEPT_OPEN = "it goes on when a client has left without it";

/** Those of nc and ncat that listen, for the servers of connections. */
const LISTENING_HINTS: Hints = {
  ...COMMON_HINTS,
  ...same("-b", "say --host"),
  ...same("-S", WITH_TLS),
  ...same("--keep-open", KEPT_OPEN),
  ...same("-i -w --wait", "say --idle-timeout"),
  ...same("-e --exec -c --sh-exec --lua-exec", "it runs no programs: write a handler for serve()"),
};

const DIRECTORY = "say 'web DIR'";
const OF_WEB = "--auth --cache-control --cors --dotfiles --header --lan --max-upload --spa " +
  "--upload";

/** For `relay`. */
export const RELAY_HINTS: Hints = {
  ...LISTENING_HINTS,
  ...same("--target --upstream --forward --from -L -R", "say --to HOST:PORT; --port is this end's"),
};

/** For `chat`. */
export const CHAT_HINTS: Hints = {
  ...LISTENING_HINTS,
  ...same("-k", KEPT_OPEN),
  ...same("--broker --chat", "it is one without it"),
  ...same(
    "--workers",
    "'echo', 'web' and 'relay' have it; --bus joins the rooms of several servers",
  ),
  ...same("--nick --name", "those who talk say '/nick NAME'"),
};

const LISTED = "directories without an index.html are listed without it";
const NO_TIMEOUT = "silent connections are closed without it";
const WHOLE_NAME = "a page is asked for by its whole name, as /page.html";
const IMMUTABLE = "say --cache-control 'max-age=31536000, immutable'";
const CACHED = "say --cache-control max-age=SECONDS, or no-store";
const COMPRESSED = "what can be compressed is, without it";
const WHO = "say --auth @FILE, with USER:PASSWORD in that";
const NO_PROXY = "it asks no other server; 'relay --to' leads a whole port to one";

/**
 * Those of `python -m http.server`, serve, sirv, http-server, `caddy file-server` and `php -S`, for
 * `web`.
 */
export const WEB_HINTS: Hints = {
  ...COMMON_HINTS,
  ...same("-b", "say --host; and for brotli nothing: what can be compressed is"),
  ...same("--directory -r --root --docroot", DIRECTORY),
  ...same("-d", `${LISTED}; for another directory ${DIRECTORY}`),
  ...same("-t --timeout", `${NO_TIMEOUT}; for a directory ${DIRECTORY}`),
  ...same("-U --utc", "times are in UTC without it; for a socket file say --unix"),
  ...same("--ext", WHOLE_NAME),
  ...same("--index", "a directory shows its index.html, and no other file"),
  ...same("--log-ip", "each line of the log begins with the address of the client"),
  ...same("--robots", "put a robots.txt into DIR"),
  ...same("-s", "say --spa, or to be silent --quiet"),
  ...same("--single", "say --spa"),
  ...same("-o", "say --open"),
  ...same("-S", `${WITH_TLS}; for the ADDRESS:PORT of php, --host and --port`),
  ...same("-C", "say --tls-cert FILE, or for other sites' scripts --cors"),
  ...same("--cert", "say --tls-cert"),
  ...same("--key", "say --tls-key"),
  ...same("-g --gzip -G --brotli -B --precompressed", COMPRESSED),
  ...same("-u --no-compression --no-compress", "who does not ask for compression gets none"),
  ...same("-c --cache --maxage --max-age", CACHED),
  ...same("--no-cache", "say --cache-control no-store"),
  ...same("-i", `${LISTED}; for files that never change ${IMMUTABLE}`),
  ...same("--immutable", IMMUTABLE),
  ...same("-P --proxy", NO_PROXY),
  ...same("--username --user --password --basic-auth", WHO),
  ...same("-L --no-request-logging --logs", "say --quiet to see no requests"),
  ...same("--access-log", "requests are shown without it"),
  ...same("--browse --autoindex", LISTED),
  ...same("-n --no-clipboard", "it leaves the clipboard alone"),
  ...same("--no-port-switching", "say --port: then it takes no other"),
  ...same("--no-dotfiles", "names that start with a dot are not served without it"),
  ...same("-D --dev -w", "a file that has changed is served as it is now without it"),
  ...same("-e", `${WHOLE_NAME}; each file has an ETag`),
  ...same("--etag", "each file has an ETag without it"),
  ...same("-k --symlinks", "links are followed within DIR, and no others"),
  ...same("--cgi", "it runs no programs: write a handler for serveHttp()"),
};

/** For the echo server, which is also what those get who forget to say `web`. */
export const ECHO_SERVER_HINTS: Hints = {
  ...Object.fromEntries(
    Object.entries(WEB_HINTS).map(([option, hint]) => [option, `with 'web', ${hint}`]),
  ),
  ...LISTENING_HINTS,
  ...of("web", OF_WEB),
  ...of("relay", "--to"),
  ...same("-k", KEPT_OPEN),
  ...same("-u", "say --udp"),
  ...same("-d --directory -r --root -t --docroot", DIRECTORY),
  ...same("--timeout", "say --idle-timeout"),
  ...same("-s --single", "say 'web --spa'"),
  ...same("-o", "say 'web --open'"),
  ...same("--broker --chat", "say 'chat'"),
};

const PLACE_HINTS: Hints = same("--host --port -p", "write HOST:PORT");

/** Those of nc and of the other commands, for the echo client. */
export const ECHO_HINTS: Hints = {
  ...of("connect", "-z --probe -x --hex -C --crlf --frame --on-eof --idle-timeout --broadcast"),
  ...of("get", "-o --output -O -X --request -H --header -I --head -i --include -d --data --retry"),
  ...same("-m --message --msg --text", "say 'echo MESSAGE'"),
  ...same("-p", "say --port"),
  ...same("-u", "say --udp"),
  ...same("-U", "say --unix"),
  ...same("-w", "say --timeout"),
  ...same("--ssl", "say --tls"),
  ...same("-l --listen", "a client does not listen; the server does"),
};

/** For `resolve`. */
export const RESOLVE_HINTS: Hints = {
  ...PLACE_HINTS,
  ...same("-w", "say --connect-timeout"),
  ...same("--json --short", "say --log json"),
  ...same("-t --type -4 -6", "it has the addresses of both families, and no other records"),
};

/** Those of nc and ncat, for `connect`. */
export const NC_HINTS: Hints = {
  ...PLACE_HINTS,
  ...same("-w --wait", "say --connect-timeout, or --idle-timeout"),
  ...same("-i", "say --idle-timeout"),
  ...same("-U --unixsock", "say --unix"),
  ...same("-1 -0", "-q is --quiet, and takes no value"),
  ...same("-N", "the end of stdin is passed on without it"),
  ...same("-l --listen", "a client does not listen; the server does"),
  ...same("--ssl -c", "say --tls"),
  ...same("--ssl-verify", "the certificate is verified without it"),
  ...same("--ssl-trustfile --cafile", "say --cacert"),
  ...same("--ssl-cert", "say --cert"),
  ...same("--ssl-key", "say --key"),
  ...same("--ssl-alpn", "say --alpn"),
  ...same("-b", "say --udp --broadcast"),
  ...same("-n --nodns", "write the address: it is not looked up"),
  ...same("-4 -6", "write an address of that family; 'resolve' shows those of a name"),
  ...same("--hex-dump", "say --hex"),
  ...same("--no-shutdown --send-only --recv-only", "say --on-eof, whose values the help explains"),
  ...same("-e --exec --sh-exec", "it runs no programs: put it into a pipe"),
  ...same("-X --proxy --proxy-type", "it goes through no proxy"),
};

const MAX_TIME = "say --timeout, which is for the time with no byte moving";
const COOKIE = "say -H 'Cookie: NAME=VALUE'";
const UPLOAD = "say -X PUT --data-binary @FILE";

/** Those of curl and wget, for `get`. */
export const CURL_HINTS: Hints = {
  ...same("-f --fail --fail-with-body", "a status of 400 or above is exit code 22 without it"),
  ...same("-L --location", "redirects are followed without it"),
  ...same("-s", "say -q"),
  ...same("--silent --no-verbose", "say --quiet"),
  ...same("-S --show-error", "errors are shown without it"),
  ...same("-m --max-time --speed-time -y", MAX_TIME),
  ...same("--max-filesize", "say --max-size"),
  ...same("--max-redirs", "say --max-redirects"),
  ...same("-A --user-agent", "say -H 'User-Agent: NAME'"),
  ...same("-e --referer", "say -H 'Referer: URL'"),
  ...same("-b --cookie", COOKIE),
  ...same("-j --cookie-jar", "cookies are not kept; say -H 'Cookie: NAME=VALUE'"),
  ...same("-r", "say --range"),
  ...same("-G --get", "put the data into the URL: URL?NAME=VALUE"),
  ...same("--json", "say -H 'Content-Type: application/json' --data-binary DATA"),
  ...same("--data-raw --data-ascii --post-data", "say --data"),
  ...same("--data-urlencode", "say --data, with the values encoded already"),
  ...same("-F --form", "it sends no forms of several parts; say -X PUT --data-binary @FILE"),
  ...same("-T --upload-file", UPLOAD),
  ...same("-w --write-out", "say --timing"),
  ...same("--unix-socket", "say --unix"),
  ...same("-p --port", "the port goes into the URL: http://HOST:PORT/"),
  ...same("-x --proxy --socks5", "it goes through no proxy"),
  ...same("-n --netrc", "say --user @FILE, with NAME:PASSWORD in that"),
  ...same("--oauth2-bearer", "say -H 'Authorization: Bearer TOKEN'"),
  ...same("--basic", "--user is Basic authentication without it"),
  ...same("-# --progress-bar", "how far it is shows with -o or -O, on a terminal"),
  ...same("-J --remote-header-name --content-disposition", "say -o FILE"),
  ...same("-P --output-dir --directory-prefix", "say -o FOLDER/FILE"),
  ...same("-c", "say -C"),
  ...same("-t --tries", "say --retry"),
  ...same(
    "--retry-delay --retry-max-time",
    "the waits are what the server asks for, or 1 s, 2 s, 4 s",
  ),
  ...same("--spider", "say --head"),
  ...same("--no-check-certificate", "say --insecure"),
  ...same("--ca-certificate --capath", "say --cacert"),
  ...same("-E --certificate", "say --cert"),
  ...same("--private-key", "say --key"),
  ...same("--method", "say --request"),
  ...same("--http1.1 --http1.0 -0 --http2", "HTTP/1.1 is spoken, and no other version"),
  ...same("-N --no-buffer", "what comes is printed at once without it"),
  ...same("-a --append --trace --trace-ascii", "say -v to see both heads"),
  ...same("--url", "the URL stands alone"),
  ...same("-4 -6 --ipv4 --ipv6", "put an address of that family into the URL"),
  ...same("--resolve --connect-to", "put the address into the URL, and say -H 'Host: NAME'"),
};
