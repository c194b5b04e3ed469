/**
 * The option `--allow-host`, and the names that `server.ts web` is served by.
 *
 * @module
 */

import { hostNameOf } from "../../base/url.ts";
import { type Flag, UsageError } from "../io/flags.ts";
import { hostName } from "./host_name.deno.ts";

/** Any name at all. */
const ANY = "*";

/** The flag: a name, or some with commas between them, again and again. */
export function allowHostFlag(): Flag<readonly string[]> {
  const parse = (
    text: string,
    sofar: readonly string[],
  ) => [...sofar, ...text.split(",").map(named)];
  const help = "serve by this name, too; repeatable; '*' for any (see below)";
  return { arg: "NAME", help, fallback: [], parse };
}

function named(text: string): string {
  if (text === ANY) return text;
  const name = hostNameOf(text);
  if (name === undefined || /[*]/.test(name)) {
    throw new UsageError(`takes a name as example.com, or '*', not '${text}'`);
  }
  if (/:\d*$/.test(text) && !text.endsWith("]")) {
    throw new UsageError(`takes the name alone, for any port: write --allow-host ${name}`);
  }
  return name;
}

/** The flags that the names depend on. */
export interface NameFlags {
  readonly "allow-host": readonly string[];
  readonly host?: string;
  readonly unix: string;
}

/**
 * The names that the site is served by; undefined for any. With a password, or at a Unix socket,
 * names are checked only if `--allow-host` is given: pages of other sites have no password, and
 * browsers reach no Unix socket.
 */
export function servedNames(
  { "allow-host": allowed, host, unix }: NameFlags,
  asksForPassword: boolean,
): readonly string[] | undefined {
  if (allowed.includes(ANY)) return undefined;
  if (allowed.length === 0 && (asksForPassword || unix !== "")) return undefined;
  return [...allowed, ...host ? [host] : [], ...ownNames(hostName())];
}

/** The names of a machine that is called `name`: as it is, without its domain, and as in mDNS. */
function ownNames(name: string | undefined): string[] {
  if (name === undefined || name === "") return [];
  const [label] = name.split(".");
  return [name, label, `${label}.local`];
}
