#!/usr/bin/env -S deno run -A
/**
 * The server script: `server.ts [echo|web|relay|chat|replay|wstest] [options]`. See `--help`.
 *
 * @module
 */

import process from "node:process";
import { SERVER } from "./lib/cli/commands/server.ts";
import { serverIo } from "./lib/cli/io/io.ts";
import { isMain, type Main, mainOf } from "./lib/cli/main.ts";

export type { Io, ProgramSignal } from "./lib/cli/io/io.ts";
export type { ProgramOutput } from "./lib/cli/io/program_output.ts";
export type { Main } from "./lib/cli/main.ts";

/** Runs the server as its command line says; resolves to the exit code. */
export const main: Main = mainOf("server.ts", SERVER);

if (isMain(import.meta)) process.exit(await main(process.argv.slice(2), serverIo()));
