#!/usr/bin/env -S deno run -A
/**
 * The client script: `client.ts [echo|get|connect|resolve|explain|recording|replay|wstest] [options]`. See `--help`.
 *
 * @module
 */

import process from "node:process";
import { CLIENT } from "./lib/cli/commands/client.ts";
import { processIo } from "./lib/cli/io/io.ts";
import { isMain, type Main, mainOf } from "./lib/cli/main.ts";

export type { Io, ProgramSignal } from "./lib/cli/io/io.ts";
export type { ProgramOutput } from "./lib/cli/io/program_output.ts";
export type { Main } from "./lib/cli/main.ts";

/** Runs the client as its command line says; resolves to the exit code. */
export const main: Main = mainOf("client.ts", CLIENT);

if (isMain(import.meta)) process.exit(await main(process.argv.slice(2), processIo));
