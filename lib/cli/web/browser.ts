/**
 * Opening a URL as the desktop does.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";

/** Opens the default browser; `failed` is told why if that does not work. */
export function openBrowser(url: string, failed: (why: string) => void): void {
  const [command, ...args] = process.platform === "darwin"
    ? ["open", url]
    : process.platform === "win32"
    ? ["cmd", "/c", "start", "", url]
    : ["xdg-open", url];
  try {
    const child = spawn(command, args, { stdio: "ignore", detached: true });
    child.on("error", (error) => failed(error.message));
    child.on("exit", (code) => {
      if (code !== 0) failed(`${command} ended with ${code}`);
    });
    child.unref();
  } catch (error) {
    failed((error as Error).message); // Deno's permissions
  }
}
