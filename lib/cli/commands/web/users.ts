/**
 * Who may see the site: a user and a password, from the command line, a file or the environment.
 *
 * @module
 */

import type { Credentials } from "../../../files/auth.ts";
import { type Flag, ofOption, optional, text, UsageError, type Values } from "../../io/flags.ts";
import type { Io } from "../../io/io.ts";
import type { Log } from "../../io/log.ts";
import { isInFile, secretOf } from "../../io/secret.ts";

/** The flags. */
export const AUTH_FLAGS: {
  readonly auth: Flag<string | undefined>;
  readonly "auth-env": Flag<string | undefined>;
} = {
  auth: optional(
    text("USER:PASSWORD", "", "ask for a user and password; @FILE has them, unseen in ps"),
  ),
  "auth-env": optional(text("NAME", "", "the same, with them in this environment variable")),
};

/** What the flags say. */
export type AuthFlags = Values<typeof AUTH_FLAGS>;

/** Reads the credentials, if there are to be some. Throws a {@linkcode UsageError}. */
export function credentialsOf(values: AuthFlags, env: Io["env"]): Credentials | undefined {
  const { auth, "auth-env": name } = values;
  if (auth !== undefined && name !== undefined) {
    throw new UsageError("Options --auth and --auth-env exclude each other");
  }
  if (auth !== undefined) {
    return ofOption("--auth", () => parse(secretOf(auth), isInFile(auth) ? " in that file" : ""));
  }
  if (name === undefined) return undefined;
  return ofOption("--auth-env", () => parse(variable(name, env), ` in ${name}`));
}

/**
 * Has `credentials`, which are what {@linkcode credentialsOf} has returned for the same flags, change
 * with their file: `onReload` takes what reads it again.
 */
export function followFile(
  credentials: Credentials,
  values: AuthFlags,
  log: Log,
  onReload: (reload: () => void) => void,
): void {
  if (!isInFile(values.auth ?? "")) return;
  onReload(() => {
    try {
      Object.assign(credentials, credentialsOf(values, {}));
      log.note("read again who may see the site");
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      log.error(`${error.message}. User and password stay as they were.`);
    }
  });
}

function variable(name: string, env: Io["env"]): string {
  let value: string | undefined;
  try {
    value = env[name];
  } catch {
    throw new UsageError(`needs Deno's permission: run again with --allow-env=${name}`);
  }
  if (value !== undefined) return value;
  throw new UsageError(`takes the name of an environment variable, and there is no '${name}'`);
}

/** Reads USER:PASSWORD. What is wrong is said without it. */
function parse(text: string, where: string): Credentials {
  const colon = text.indexOf(":");
  if (colon > 0 && colon < text.length - 1) {
    return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  throw new UsageError(
    `takes USER:PASSWORD${where}, with a colon between and neither empty; or @FILE`,
  );
}
