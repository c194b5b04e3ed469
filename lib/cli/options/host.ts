/**
 * The option `--host`: a name or an address, and nothing else.
 *
 * @module
 */

import { parseScopedIP } from "../../base/ip.ts";
import { type Flag, text, UsageError } from "../io/flags.ts";

/** The flag. A port after the host is refused with advice. */
export function hostFlag(fallback: string, help: string): Flag<string> {
  return { ...text("HOST", fallback, help), parse: hostAlone };
}

/** Gives a name or address back, and throws a {@linkcode UsageError} if it is more. */
export function hostAlone(value: string): string {
  if (!/[:/[\]]/.test(value) || parseScopedIP(value) !== undefined) return value;
  const flags = flagsFor(value);
  if (flags === undefined) throw new UsageError(`takes a name or an address, not '${value}'`);
  throw new UsageError(`takes the host alone: write ${flags}`);
}

/**
 * The options that say what `HOST:PORT`, `HOST`, `:PORT` or a URL of these says; undefined if it is
 * none of these.
 */
export function flagsFor(place: string): string | undefined {
  const [, bracketed, named = "", port] =
    /^(?:[a-z+]+:\/\/)?(?:\[([^\]]*)\]|([^:/[\]]*))(?::(\d+))?\/?$/i.exec(place) ?? [];
  const host = bracketed ?? named;
  const flags = [...host === "" ? [] : [`--host ${host}`], ...port ? [`--port ${port}`] : []];
  return flags.length === 0 ? undefined : flags.join(" ");
}

/** The empty host and its other names: every address that the machine has. */
export function isAnyHost(host: string): boolean {
  return ["", "::", "0.0.0.0"].includes(host);
}
