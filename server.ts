#!/usr/bin/env -S deno run -A
/**
 * The server script: `server.ts [echo] [options]`, `server.ts web [DIR] [options]`. See `--help`.
 *
 * @module
 */

import { formatAddr } from "./lib/addr.ts";
import { GENERAL_FLAGS, noMore, openLog } from "./lib/cli/common.ts";
import { command } from "./lib/cli/command.ts";
import { EXIT, EXIT_HELP } from "./lib/cli/exit.ts";
import { integer, renderFlags, seconds, text, type Values } from "./lib/cli/flags.ts";
import { print } from "./lib/cli/print.ts";
import { run } from "./lib/cli/run.ts";
import { onSignals } from "./lib/cli/signals.ts";
import { serverTranscript } from "./lib/cli/transcript.ts";
import { echo } from "./lib/echo.ts";
import { SocketError } from "./lib/errors.ts";
import { observe } from "./lib/events.ts";
import { serve } from "./lib/serve.ts";
import { systemTransport } from "./lib/transport.deno.ts";

const FLAGS = {
  host: text(
    "HOST",
    "localhost",
    "address to listen on; 0.0.0.0, :: or '' for any (default localhost)",
  ),
  port: integer("PORT", [0, 65535], 10000, "port; 0 lets the kernel choose (default 10000)"),
  backlog: integer("N", [1, 65535], 511, "connections that may wait to be accepted (default 511)"),
  "recv-size": integer(
    "BYTES",
    [1, 2 ** 26],
    65536,
    "most bytes to receive at once (default 65536)",
  ),
  "max-connections": integer("N", [1, 1e6], 1024, "conversations at once (default 1024)"),
  "idle-timeout": seconds(300, "close a silent connection; 0 = never (default 300)"),
  grace: seconds(10, "time to finish after Ctrl-C or SIGTERM (default 10)"),
  ...GENERAL_FLAGS,
};

const HELP = `A server made of plain sockets.

  deno run -A server.ts                        an echo server on localhost port 10000
  deno run -A server.ts --port 0 -v            on a free port, showing every step
  deno run -A server.ts --host ''              for other machines, too
  deno run -A server.ts web dist               a directory as a web site, on port 8080
  npx plainsocket server                       the same on Node

Usage: server.ts [echo] [options]
       server.ts web [DIR] [options]           'server.ts web --help' tells its options

Protocols:
  echo  sends back whatever comes, until the client half-closes (RFC 862)
  web   files of a directory, with listings, ranges, compression and uploads (HTTP/1.1)

Options:
${renderFlags(FLAGS)}

stdout gets one line: the URL it listens at. All else goes to stderr. Ctrl-C or SIGTERM stops
accepting and lets conversations finish for the grace time, then resets them; again ends at once.

Exit codes:
${EXIT_HELP}
`;

async function echoServer(values: Values<typeof FLAGS>, positionals: string[]): Promise<number> {
  noMore(positionals);

  const signals = onSignals();
  const log = openLog(values);
  const { port, backlog } = values;
  const anywhere = ["", "::", "0.0.0.0"].includes(values.host);
  log.note(`starting up on ${anywhere ? "any address" : values.host} port ${port}`);
  const transport = log.verbose
    ? observe(systemTransport, log.sink(serverTranscript()))
    : systemTransport;
  const listener = await transport.listen({ host: anywhere ? "" : values.host, port, backlog });
  await print(`${listener.addr.transport}://${formatAddr(listener.addr)}\n`);

  signals.signal.addEventListener("abort", () => {
    log.note(`stopping: conversations get ${values.grace / 1000} s to finish, Ctrl-C ends at once`);
  });
  const { accepted, reset } = await serve(listener, echo({ recvSize: values["recv-size"] }), {
    signal: signals.signal,
    maxConnections: values["max-connections"],
    idleTimeout: values["idle-timeout"],
    grace: values.grace,
    onError: (error) => {
      if (!(error instanceof SocketError)) log.error(String((error as Error)?.stack ?? error));
      else if (!log.verbose) log.note(error.message); // with -v the transcript has told of it
    },
  });
  log.note(`stopped after ${accepted} connections, ${reset} of them reset`);
  return reset === 0 ? EXIT.ok : signals.exitCode();
}

await run("server.ts", {
  echo: () => Promise.resolve(command({ name: "echo", flags: FLAGS, help: HELP, run: echoServer })),
  web: async () => (await import("./lib/cli/web.ts")).web,
});
