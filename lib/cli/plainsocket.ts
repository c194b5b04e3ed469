#!/usr/bin/env -S deno run -A
/**
 * The `plainsocket` command of the npm package: `plainsocket server …` and `plainsocket client …`.
 *
 * @module
 */

import process from "node:process";
import { EXIT } from "./exit.ts";
import { printVersion } from "./common.ts";
import { print, tell } from "./print.ts";
import { endUnread } from "./run.ts";

const USAGE = `Sockets you can see.

  npx plainsocket server [echo] [options]             an echo server on localhost port 10000
  npx plainsocket server web [DIR] [options]          a directory as a web site
  npx plainsocket server relay --to TARGET [options]  a port that leads to another one
  npx plainsocket server chat [options]               a room for all who connect
  npx plainsocket client [echo [MESSAGE]] [options]   a client that talks to it
  npx plainsocket client get URL [options]            gets what is at a URL
  npx plainsocket client connect HOST:PORT [options]  joins stdin and stdout to a socket
  npx plainsocket client resolve HOST:PORT [options]  the addresses of a name, in order

'plainsocket server --help', 'plainsocket server web --help' and 'plainsocket client --help' tell more.
`;

const [name] = process.argv.splice(2, 1);
if (name === "server") await import("../../server.ts");
else if (name === "client") await import("../../client.ts");
else {
  endUnread("plainsocket");
  if (name === "-h" || name === "--help") await print(USAGE);
  else if (name === "-V" || name === "--version") await printVersion();
  else {
    const wrong = name === undefined ? "Nothing to do" : `Unknown command '${name}'`;
    tell(`plainsocket: ${wrong}. Say server or client; see 'plainsocket --help'.\n`);
    process.exitCode = EXIT.usage;
  }
}
