/**
 * `client.ts get URL`: HTTP for people who know curl.
 *
 * @module
 */

import { type Command, command } from "../../command.ts";
import { INSTRUMENT_HELP } from "../../options/instrument_flags.ts";
import { clientExitHelp } from "../../io/exit.ts";
import { renderFlags } from "../../io/flags.ts";
import { GET_LINE } from "./options.ts";

const HELP = `Gets what is at a URL, by HTTP/1.1.

  deno run -A client.ts get http://localhost:8080/           prints the content
  deno run -A client.ts get -O http://localhost:8080/a.iso   saves it as a.iso
  deno run -A client.ts get -O -C --retry 5 http://…/a.iso   goes on with what came before
  deno run -A client.ts get -v -d a=1 -d b=2 localhost:8080  posts a form, shows both heads
  deno run -A client.ts get --cacert ca.pem https://localhost:8443/
  npx plainsocket client get http://localhost:8080/          the same on Node

Usage: client.ts [get] URL [options]

Without a scheme the URL is http://; that of a Unix socket is http+unix://%2Frun%2Fa.sock/path, or
any with --unix. The options are curl's where they mean the same.

Options:
${renderFlags(GET_LINE.flags)}

stdout gets the content, byte for byte: as the server sends it, unless --compressed is given. All
else goes to stderr. With a FILE, what has come is in FILE.part until it is whole, beside it in
FILE.part.json what -C needs; a run that fails keeps both. Only the content of a success (2xx)
becomes FILE; that of other responses goes to stdout. Binary content does not go to a terminal,
unless FILE is -.

FILE.part and FILE.part.json are never written through a link, and what is there already must be a
file of your own with no other name: anything else is an error. FILE may be a link that you or root
have made: what it leads to is replaced. Where the name of FILE leaves no room for .part.json within
255 bytes, that of the two is its beginning, ~ and 16 digits.

-C goes on with FILE.part only: without one, all is got anew, even if there is a whole FILE.
-C and --retry go on with Range and If-Range if the server gave a strong ETag or a Last-Modified.
If it did not, or sends all of it anew, what comes is compared with what is there: the bytes that
agree are not lost when that breaks off early, and if some differ, all that was there is kept as
FILE.part.1 (or .2, and so on), and a note says so. Failures that may pass are those to connect,
timeouts, responses that break off, and the statuses 408, 429 and 5xx. The wait is that of
Retry-After, or 1 s, 2 s, 4 s…, up to 60 s.

Redirects keep the method and the content, but 303 is followed with GET, and so are 301 and 302 if
the method was POST. Authorization and Cookie are not sent to another scheme, host or port. With
--max-redirects 0 the redirect itself is what you get.

${INSTRUMENT_HELP}

Exit codes:
${
  clientExitHelp([
    "differed",
    "badUrl",
    "notConnected",
    "closedEarly",
    "refused",
    "timeout",
    "tlsFailed",
    "tooManyRedirects",
    "emptyResponse",
    "receiveFailed",
    "badCertificate",
    "tooLarge",
  ], { ok: "all went well; content that nobody reads any more is 23" })
}
`;

/** The command; see the module. */
export const get: Command = command({
  name: "get",
  line: GET_LINE,
  help: HELP,
  hints: async () => (await import("../../advice/foreign_options.ts")).CURL_HINTS,
  run: async (options, session) => await (await import("./run.ts")).runGet(options, session),
});
