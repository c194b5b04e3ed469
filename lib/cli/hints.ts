/**
 * Options that users know from elsewhere, and what to say of them.
 *
 * @module
 */

import type { Hints } from "./flags.ts";

const BEFORE_SCRIPT = "it is an option of Deno, and goes before the script";

/** Deno's, which do nothing behind the name of the script. */
export const DENO_HINTS: Hints = Object.fromEntries(
  ["-A", "--allow-all", "--allow-net", "--allow-read", "--allow-write", "--allow-run"]
    .concat("--allow-env", "--allow-sys", "--unstable-net")
    .map((option) => [option, BEFORE_SCRIPT]),
);

/** Those of `python -m http.server`, serve, http-server and `nc -l`. */
export const SERVER_HINTS: Hints = {
  "-p": "say --port",
  "-b": "say --host",
  "--bind": "say --host",
  "-a": "say --host",
  "-l": "it listens without it; --host and --port say where",
  "--listen": "it listens without it; --host and --port say where",
  "-d": "say web DIR",
  "--directory": "say web DIR",
};

/** Those of nc, for the echo client. */
export const ECHO_HINTS: Hints = {
  "-p": "say --port",
  "-u": "say --udp",
  "-U": "say --unix",
  "-w": "say --timeout",
};

const PLACE_HINTS: Hints = {
  "--host": "write HOST:PORT",
  "--port": "write HOST:PORT",
  "-p": "write HOST:PORT",
};

/** For `resolve`. */
export const RESOLVE_HINTS: Hints = { ...PLACE_HINTS, "-w": "say --connect-timeout" };

/** Those of nc and ncat, for `connect`. */
export const NC_HINTS: Hints = {
  ...PLACE_HINTS,
  "-w": "say --connect-timeout, or --idle-timeout",
  "-U": "say --unix",
  "-N": "the end of stdin is passed on without it",
  "-l": "a client does not listen; the server does",
  "--listen": "a client does not listen; the server does",
  "--ssl": "say --tls",
};

const FAIL = "a status of 400 or above is exit code 22 without it";
const LOCATION = "redirects are followed without it";
const SHOW_ERROR = "errors are shown without it";
const MAX_TIME = "say --timeout, which is for the time with no byte moving";
const USER_AGENT = "say -H 'User-Agent: NAME'";
const REFERER = "say -H 'Referer: URL'";
const COOKIE = "say -H 'Cookie: NAME=VALUE'";
const QUERY = "put the data into the URL: URL?NAME=VALUE";
const UPLOAD = "say -X PUT --data-binary @FILE";
const WRITE_OUT = "say --timing";
const PORT = "the port goes into the URL: http://HOST:PORT/";

/** Those of curl, for `get`. */
export const CURL_HINTS: Hints = {
  "-f": FAIL,
  "--fail": FAIL,
  "-L": LOCATION,
  "--location": LOCATION,
  "-s": "say -q",
  "--silent": "say --quiet",
  "-S": SHOW_ERROR,
  "--show-error": SHOW_ERROR,
  "-m": MAX_TIME,
  "--max-time": MAX_TIME,
  "--max-filesize": "say --max-size",
  "-A": USER_AGENT,
  "--user-agent": USER_AGENT,
  "-e": REFERER,
  "--referer": REFERER,
  "-b": COOKIE,
  "--cookie": COOKIE,
  "-r": "say --range",
  "-G": QUERY,
  "--get": QUERY,
  "--json": "say -H 'Content-Type: application/json' --data-binary DATA",
  "-T": UPLOAD,
  "--upload-file": UPLOAD,
  "-w": WRITE_OUT,
  "--write-out": WRITE_OUT,
  "--unix-socket": "say --unix",
  "-p": PORT,
  "--port": PORT,
};
