#!/usr/bin/env -S deno run -A
/**
 * The `plainsocket` command of the npm package: `plainsocket server …` and `plainsocket client …`.
 *
 * @module
 */

import process from "node:process";
import { VERSION_LINE } from "./options/common.ts";
import { EXIT } from "./io/exit.ts";
import { listenFlags, synonym } from "./advice/first_word.ts";
import { flagsFor } from "./options/host.ts";
import { type Io, processIo, serverIo } from "./io/io.ts";
import { CLIENT } from "./commands/client.ts";
import { SERVER } from "./commands/server.ts";
import { endUnread, isMain, mainOf } from "./main.ts";
import { nearest } from "../base/nearest.ts";
import { PROTOCOLS } from "./program.ts";
import { Session } from "./session.ts";

const USAGE = `Sockets you can see.

  npx plainsocket server [echo] [options]             an echo server on localhost port 10000
  npx plainsocket server web [DIR] [options]          a directory as a web site
  npx plainsocket server relay --to TARGET [options]  a port that leads to another one
  npx plainsocket server chat [options]               a room for all who connect
  npx plainsocket client [echo [MESSAGE]] [options]   a client that talks to it
  npx plainsocket client get URL [options]            gets what is at a URL
  npx plainsocket client connect HOST:PORT [options]  joins stdin and stdout to a socket
  npx plainsocket client resolve HOST:PORT [options]  the addresses of a name, in order

'plainsocket server --help', 'plainsocket server web --help' and 'plainsocket client --help' say more.
`;

/** The advice for a command that does not exist, with the words after it. */
function unknown(name: string, rest: readonly string[]): string {
  const wrong = `Unknown command '${name}'`;
  if (/^https?:\/\//i.test(name)) return `${wrong}; say ${line(["client", "get", name, ...rest])}.`;
  const known = commandsFor(name, rest);
  if (known.length > 0) return `${wrong}; say ${known.join(" or ")}.`;
  const names = Object.entries(PROTOCOLS).flat(2);
  if (name.startsWith("-")) return `${wrong}; options come after 'server' or 'client'.`;
  const place = placeOf(name, rest);
  if (place !== undefined) return `${wrong}; ${place}.`;
  const near = synonym(name, names) ?? nearest(name.toLowerCase(), names);
  if (near !== undefined) return `${wrong}; did you mean ${commandsFor(near, rest).join(" or ")}?`;
  // As other servers of files are called.
  if (/^\.{0,2}(\/|$)/.test(name)) {
    return `${wrong}; say ${line(["server", "web", name, ...rest])}.`;
  }
  return `${wrong}. Say server or client.`;
}

/** The advice for a port or a place, which a server listens at and a client connects to. */
function placeOf(name: string, rest: readonly string[]): string | undefined {
  const words = rest[0]?.startsWith("-") ? [name] : [name, ...rest];
  const flags = listenFlags(words) ?? (/:\d+$/.test(name) ? flagsFor(name) : undefined);
  if (flags === undefined) return undefined;
  const both = [`server ${flags}`, `client ${flags}`].map((command) => line(command.split(" ")));
  return `say ${both.join(" or ")}`;
}

/** The command lines that a script or protocol of this name is part of, with what stands after it. */
function commandsFor(name: string, rest: readonly string[]): string[] {
  if (Object.hasOwn(PROTOCOLS, name)) return [line([name, ...rest])];
  return Object.keys(PROTOCOLS).filter((script) => PROTOCOLS[script].includes(name))
    .map((script) => line([script, name, ...rest]));
}

/** A command line, in quotes. */
function line(args: readonly string[]): string {
  return `'plainsocket ${args.map(quoted).join(" ")}'`;
}

/** An argument as a shell takes it. */
function quoted(arg: string): string {
  return /^[\w./:@%+=,-]+$/.test(arg) ? arg : `"${arg.replace(/["$\\`]/g, "\\$&")}"`;
}

const HELP = ["help", "-h", "--help"];

/**
 * Turns `help server` into `server help`, and `help web` into `server help web`; a protocol of both
 * scripts is not one.
 */
function helpOf([help, what = "", ...rest]: readonly string[]): readonly string[] {
  if (Object.hasOwn(PROTOCOLS, what)) return [what, help, ...rest];
  const scripts = Object.keys(PROTOCOLS).filter((script) => PROTOCOLS[script].includes(what));
  return scripts.length === 1 ? [scripts[0], help, what, ...rest] : [help, what, ...rest];
}

/**
 * Runs the script that the arguments name; resolves to the exit code. Default of `io`: that of this
 * process.
 */
export async function main(args: readonly string[], io?: Io): Promise<number> {
  const [name, ...rest] = HELP.includes(args[0]) ? helpOf(args) : args;
  if (name === "server") {
    return await mainOf("server.ts", SERVER)(rest, io ?? serverIo(), "plainsocket ");
  }
  if (name === "client") {
    return await mainOf("client.ts", CLIENT)(rest, io ?? processIo, "plainsocket ");
  }
  const session = new Session(io ?? processIo);
  endUnread("plainsocket", session);
  return await Promise.race([session.ended, answer(name, rest, session)]);
}

/** Prints what was asked for without a script, or says what is wrong; resolves to the exit code. */
async function answer(
  name: string | undefined,
  rest: readonly string[],
  session: Session,
): Promise<number> {
  if (name !== undefined && HELP.includes(name)) await session.printHelp(USAGE);
  else if (name === "-V" || name === "--version") await session.print(VERSION_LINE);
  else {
    const wrong = name === undefined ? "Nothing to do. Say server or client." : unknown(name, rest);
    session.log.error(`plainsocket: ${wrong} See 'plainsocket --help'.`);
    return EXIT.usage;
  }
  return EXIT.ok;
}

if (isMain(import.meta)) process.exit(await main(process.argv.slice(2)));
