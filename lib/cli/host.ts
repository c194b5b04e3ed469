/**
 * The option `--host`: a name or an address, and nothing else.
 *
 * @module
 */

import { parseScopedIP } from "../ip.ts";
import { type Flag, text, UsageError } from "./flags.ts";

/** The flag. A port behind the host is told where it goes. */
export function hostFlag(fallback: string, help: string): Flag<string> {
  return { ...text("HOST", fallback, help), parse: hostAlone };
}

/** Gives a name or address back, and throws a {@linkcode UsageError} if it is more. */
export function hostAlone(value: string): string {
  if (!/[:/[\]]/.test(value) || parseScopedIP(value) !== undefined) return value;
  const [, bracketed, named = "", port] =
    /^(?:[a-z+]+:\/\/)?(?:\[([^\]]*)\]|([^:/[\]]*))(?::(\d+))?\/?$/i.exec(value) ?? [];
  const host = bracketed ?? named;
  const options = [...host === "" ? [] : [`--host ${host}`], ...port ? [`--port ${port}`] : []];
  if (options.length === 0) throw new UsageError(`takes a name or an address, not '${value}'`);
  throw new UsageError(`takes the host alone: write ${options.join(" ")}`);
}
