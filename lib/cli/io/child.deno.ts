/**
 * Running a program of others to its end. Its twin for Node is `child.node.ts`.
 *
 * @module
 */

import { type ChildEnd, endedBy } from "./child_end.ts";

/**
 * Runs a program with `env` on top of this process's environment, for at most `ms` milliseconds. Needs
 * the permission to run it, and no other.
 */
export async function runChild(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ms: number,
): Promise<ChildEnd> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ms);
  try {
    const { success, code, signal, stdout, stderr } = await new Deno.Command(name, {
      args: [...args],
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: late.signal,
    }).output();
    const decoder = new TextDecoder();
    if (success) return { stdout: decoder.decode(stdout) };
    if (late.signal.aborted) return failed(`took longer than ${ms / 1000} s`);
    if (signal !== null) return failed(endedBy(signal));
    return failed(`ended with code ${code}: ${decoder.decode(stderr).split("\n")[0]}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return failed("is not installed");
    if (error instanceof Deno.errors.NotCapable) return failed(`needs --allow-run=${name}`);
    return failed(`could not be started: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
}

function failed(failure: string): ChildEnd {
  return { failure, stdout: "" };
}
