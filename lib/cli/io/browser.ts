/**
 * Opening a URL as the desktop does.
 *
 * @module
 */

import { nodeChildProcess } from "../../base/builtins.deno.ts";
import process from "node:process";
import type { Io } from "./io.ts";

/** Opens the default browser of an environment; calls `failed` with the reason if it cannot. */
export function openBrowser(url: string, env: Io["env"], failed: (why: string) => void): void {
  const [command, ...args] = process.platform === "darwin"
    ? ["open", url]
    : process.platform === "win32"
    ? ["cmd", "/c", "start", "", url]
    : ["xdg-open", url];
  try {
    const child = nodeChildProcess().spawn(command, args, { env, stdio: "ignore", detached: true });
    child.on("error", (error) => failed(error.message));
    child.on("exit", (code) => {
      if (code !== 0) failed(`${command} ended with ${code}`);
    });
    child.unref();
  } catch (error) {
    failed((error as Error).message); // Deno's permissions
  }
}
