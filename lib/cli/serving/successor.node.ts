/**
 * The process that replaces this one, on Node. It inherits the socket. The twin of `successor.deno.ts`.
 *
 * @module
 */

import process from "node:process";
import type { OpenListenAddress } from "../options/listen_address.ts";

/** Whether a socket is handed over. Otherwise the port is shared. */
export const HANDS_OVER = true;

/** The command line of this process. */
export function ownCommand(): readonly string[] {
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
}

/** The variable of the environment with this name. */
export function readVariable(variable: string): string | undefined {
  return process.env[variable];
}

/** Nothing is missing to hand a socket over. */
export function missingToShare(_listenAddress: OpenListenAddress): Promise<string> {
  return Promise.resolve("");
}

/** Nothing is lost. */
export function whatIsLost(): string | undefined {
  return undefined;
}
