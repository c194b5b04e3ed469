// What is said to those who type what they know from elsewhere.

import assert from "node:assert/strict";
import {
  CHAT_HINTS,
  CURL_HINTS,
  DENO_HINTS,
  ECHO_HINTS,
  ECHO_SERVER_HINTS,
  NC_HINTS,
  RELAY_HINTS,
  RESOLVE_HINTS,
  WEB_HINTS,
} from "../../lib/cli/advice/foreign_options.ts";
import type { Hints } from "../../lib/cli/io/flags.ts";
import { socatHint } from "../../lib/cli/advice/socat.ts";
import { spread } from "../support/cases.ts";
import { assertFailed, runClient, runServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

type Run = (args: readonly string[]) => Promise<{ code: number | null; stderr: string }>;

const COMMANDS: Readonly<Record<string, readonly [run: Run, hints: Hints]>> = {
  "server echo": [(args) => runServer(["echo", ...args]), ECHO_SERVER_HINTS],
  web: [(args) => runServer(["web", ...args]), WEB_HINTS],
  relay: [(args) => runServer(["relay", ...args]), RELAY_HINTS],
  chat: [(args) => runServer(["chat", ...args]), CHAT_HINTS],
  echo: [(args) => runClient(["echo", ...args]), ECHO_HINTS],
  get: [(args) => runClient(["get", ...args]), CURL_HINTS],
  connect: [(args) => runClient(["connect", ...args]), NC_HINTS],
  resolve: [(args) => runClient(["resolve", ...args]), RESOLVE_HINTS],
};

test("hints: each is told, and none is of an option that the command has", async () => {
  const all = Object.entries(COMMANDS).flatMap(([name, [run, own]]) =>
    Object.entries({ ...DENO_HINTS, ...own }).map((hint) => [name, run, ...hint] as const)
  );
  for (const [name, run, option, hint] of spread(all)) {
    const { code, stderr } = await run([option]);
    const message = `Unknown option ${option}: ${hint}. See `;
    assert.ok(code === 2 && stderr.includes(message), `${name} ${option}: ${stderr}`);
  }
});

test("hints: those that name options name ones that there are", async () => {
  for (const [name, [, hints]] of Object.entries(COMMANDS)) {
    for (const hint of spread(Object.values(hints))) {
      // In quotes behind the name of another command they are options of that one.
      const [, other = name] = /^(?:it is one of|with) '?(web|relay|connect|get)\b/.exec(hint) ??
        [];
      const text = hint.replace(
        /'(web|relay|resolve|connect)( [^']*)?'/g,
        (_, command, rest = "") => {
          const [option] = /--[a-z-]+|-[a-zA-Z]\b/.exec(rest) ?? [];
          return option === undefined ? "" : `@${command}${option}`;
        },
      );
      for (
        const [, command = other, option] of text.matchAll(/(?:@([a-z]+?))?(?<![\w])(--[a-z-]+)/g)
      ) {
        // With this one behind it, nothing is unknown only if that is there.
        const { stderr } = await COMMANDS[command][0]([option, "", "--nope"]);
        assert.doesNotMatch(stderr, new RegExp(`Unknown option ${option}\\b`), `${name}: ${hint}`);
      }
    }
  }
});

const HABITS: readonly (readonly [run: Run, line: string, says: RegExp])[] = [
  // The tutorials' own form.
  [runServer, "localhost 10000", /; say '--host localhost --port 10000'\. See /],
  [runServer, "10000 localhost", /; say '--host localhost --port 10000'\. See /],
  [runServer, "::1 7", /; say '--host ::1 --port 7'\. See /],
  [runServer, "echo localhost 10000", /; say --host localhost --port 10000\. See /],
  [runServer, "chat 10002", /; say --port 10002\. See /],
  [runServer, "localhost", /; say '--host localhost'\. See /],
  [
    runClient,
    "localhost 10000",
    /; say 'connect localhost:10000' .*, or '--host localhost --port 10000'/,
  ],
  [runClient, "::1 7", /; say 'connect \[::1\]:7' .*, or '--host ::1 --port 7' for echo/],
  [runClient, "localhost", /; say 'connect localhost:PORT' .*, or '--host localhost' for echo/],
  [runClient, "echo localhost 10000", /; say --host localhost --port 10000\. See /],
  [runClient, "hello", /; to send a message say 'echo hello'\. See /],
  [runClient, "hello world", /; to send a message say 'echo "MESSAGE"'\. See /],
  [runClient, "--message hello", /Unknown option --message: say 'echo MESSAGE'/],
  [runClient, "-m hello", /Unknown option -m: say 'echo MESSAGE'/],
  // Other servers of files.
  [runServer, "dist 8080", /, or to serve a directory 'web dist --port 8080'/],
  [runServer, "./dist 8080", /; to serve a directory say 'web \.\/dist --port 8080'/],
  [runServer, "serve dist", /did you mean web\?/],
  [runServer, "file-server --root dist", /did you mean web\?/],
  [runServer, "web dist 8080", /; say --port 8080\. See /],
  [runServer, "-s dist", /Unknown option -s: say 'web --spa'/],
  [runServer, "--gzip dist", /Unknown option --gzip: with 'web', what can be compressed is/],
  [runServer, "--spa dist", /Unknown option --spa: it is one of web: say 'web --spa'/],
  [runServer, "web -c-1", /Unknown option -c: say --cache-control/],
  [runServer, "web -p8080", /Unknown option -p: say --port/],
  [runServer, "web -4", /Unknown option -4: say --host 127\.0\.0\.1, or another IPv4 address/],
  [runServer, "-6", /Unknown option -6: say --host ::1, or another IPv6 address/],
  [runServer, "web -S localhost:8000", /Unknown option -S: say --tls-cert .*--host and --port/],
  [runServer, "web -s", /Unknown option -s: say --spa/],
  [runServer, "web --single", /Unknown option --single: say --spa/],
  [runServer, "web -o", /Unknown option -o: say --open/],
  [runServer, "web --ssl", /Unknown option --ssl: say --tls-cert FILE --tls-key FILE/],
  [runServer, "web -C cert.pem -K key.pem", /Unknown option -C: say --tls-cert FILE/],
  [runServer, "web -K key.pem", /Unknown option -K: say --tls-key/],
  [runServer, "web --no-cache", /Unknown option --no-cache: say --cache-control no-store/],
  [runServer, "web -P http://localhost:3000", /Unknown option -P: .*'relay --to'/],
  [runServer, "web --username me --password x", /Unknown option --username: say --auth @FILE/],
  // nc, ncat and socat.
  [runServer, "-lk 8080", /Unknown option -l: it listens without it/],
  [runServer, "--exec /bin/sh", /Unknown option --exec: it runs no programs/],
  [runServer, "TCP-LISTEN:80,fork TCP:localhost:81", /; say 'relay --port 80 --to localhost:81'/],
  [runServer, "proxy localhost:80", /did you mean relay\?/],
  [runClient, "-z localhost 80", /Unknown option -z: it is one of connect: say 'connect -z'/],
  [runClient, "nc localhost 80", /did you mean connect\?/],
  [runClient, "connect localhost 80", /write localhost:80\. See /],
  [runClient, "connect - TCP:localhost:80", /; say 'connect localhost:80'\. See /],
  [
    runClient,
    "connect OPENSSL:a.example:443,verify=0",
    /; say 'connect --tls a\.example:443'\. See /,
  ],
  [runClient, "- TCP:localhost:80", /; say 'connect localhost:80'\. See /],
  [
    runClient,
    "connect -q 1 localhost:10000",
    /Option -q is --quiet and takes no value: leave '1' /,
  ],
  [runClient, "connect -q 0 localhost 80", /Option -q is --quiet and takes no value: leave '0' /],
  [runClient, "connect -q -1 localhost:80", /Unknown option -1: -q is --quiet, and takes no value/],
  [runClient, "connect 80", /'80' is a port without a host: write localhost:80\. See /],
  [runServer, "relay localhost 80", /; say --to localhost:80\. See /],
  [runServer, "relay ::1 80", /; say --to \[::1\]:80\. See /],
  [runServer, "relay localhost", /; say --to localhost:PORT\. See /],
  [runServer, "relay unix:/run/a", /; say --to unix:\/run\/a\. See /],
  [runServer, "relay 8080 localhost:80", /; say --port 8080 --to localhost:80\. See /],
  [runServer, "relay 8080", /; say --port 8080 --to HOST:PORT\. See /],
  [
    runServer,
    "relay 127.0.0.1:8080 localhost:80",
    /; say --host 127\.0\.0\.1 --port 8080 --to localhost:80\. See /,
  ],
  [
    runServer,
    "relay TCP-LISTEN:80 TCP:localhost:90",
    /; say 'relay --port 80 --to localhost:90'\. See /,
  ],
  [runServer, "relay TCP:localhost:90", /; say --to localhost:90\. See /],
  [runServer, "relay 8080 --to localhost:80", /; say --port 8080\. See /],
  [runServer, "relay --to 80", /'80' is a port without a host: write localhost:80\. See /],
  [runServer, "relay --to udp:a:1", /datagrams, which nothing relays: 'connect --udp a:1' /],
  // The other program's.
  [runClient, "web dist", /Unknown protocol 'web': say 'server\.ts web'\. See /],
  [runClient, "chat", /: say 'server\.ts chat'\. See /],
  [runClient, "Relay", /: say 'server\.ts relay'\. See /],
  [runClient, "server", /: say 'server\.ts'\. See /],
  [runServer, "get http://a/", /: say 'client\.ts get'\. See /],
  [runServer, "connect localhost:80", /: say 'client\.ts connect'\. See /],
  [runServer, "resolve a", /: say 'client\.ts resolve'\. See /],
  [runServer, "client", /: say 'client\.ts'\. See /],
  [runServer, "WEB", /did you mean web\?/],
  // One dash for two, two for one, and capitals.
  [runClient, "-help", /Unknown option -help: say --help\. See /],
  [runServer, "web -port 80", /Unknown option -port: say --port\. See /],
  [runClient, "get -version", /Unknown option -version: say --version\. See /],
  [runClient, "-?", /Unknown option -\?: say --help\. See /],
  [runServer, "--PORT 1", /Unknown option --PORT; did you mean --port\?/],
  [runServer, "web --GZIP", /Unknown option --GZIP: what can be compressed is/],
  [runServer, "--p 1", /Unknown option --p: say --port\. See /],
  [runClient, "get --o file", /Unknown option --o; did you mean -o \(--output\)\?/],
  // Options of other commands, and those that others mean otherwise.
  [runServer, "chat --workers 2", /Unknown option --workers: 'echo', 'web' and 'relay' have it/],
  [runServer, "web -e html", /Unknown option -e: a page is asked for by its whole name/],
  [runServer, "web -t 10", /Unknown option -t: silent connections .* a directory say 'web DIR'/],
  [runServer, "web -U", /Unknown option -U: times are in UTC .* a socket file say --unix/],
  [runServer, "web -d false", /Unknown option -d: directories .* are listed .* say 'web DIR'/],
  [runServer, "web -i", /Unknown option -i: directories .* are listed .* --cache-control/],
  // curl and wget.
  [runClient, "curl http://a/", /did you mean get\?/],
  [runClient, "-o file http://a/ -c", /Unknown option -c: say -C/],
  [runClient, "get -F a=@b http://a/", /Unknown option -F: it sends no forms/],
  [runClient, "get -x proxy:80 http://a/", /Unknown option -x: it goes through no proxy/],
];

test("hints: where habit leads wrong, what to type instead is told", async () => {
  for (const [run, line, says] of spread(HABITS)) {
    const exit = await run(line.split(" "));
    assertFailed(exit as Parameters<typeof assertFailed>[0], 2, says);
  }
});

test("hints: socat's addresses, by kind", () => {
  const hints: [string, string | undefined, string | undefined][] = [
    ["TCP4-LISTEN:8080,fork,reuseaddr", undefined, "say '--port 8080'"],
    ["UDP-LISTEN:53", undefined, "say 'echo --udp --port 53'"],
    ["UNIX-LISTEN:/run/a", "TCP:b:1", "say 'relay --unix /run/a --to b:1'"],
    [
      "openssl-listen:443",
      "unix-connect:/run/a",
      "say 'relay --port 443 --tls-self-signed --to unix:/run/a'",
    ],
    ["TCP-LISTEN:1", "OPENSSL:b:443", "say 'relay --port 1 --to tls:b:443'"],
    ["UNIX-CONNECT:/run/a", undefined, "say 'connect --unix /run/a'"],
    ["UDP:b:53", undefined, "say 'connect --udp b:53'"],
    ["tcp://localhost:10000", undefined, undefined],
    ["unix:///run/a", undefined, undefined],
    ["localhost:80", undefined, undefined],
  ];
  for (const [first, second, hint] of hints) assert.equal(socatHint(first, second), hint, first);
});
