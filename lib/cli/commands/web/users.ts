/**
 * Users of the site: a user and a password, from the command line, a file or the environment.
 *
 * @module
 */

import type { Lifecycle } from "../../serving/lifecycle.ts";
import type { Credentials } from "../../../base/basic_auth.ts";
import { type Flag, ofOption, optional, text, UsageError, type Values } from "../../io/flags.ts";
import type { Io } from "../../io/io.ts";
import type { Log } from "../../io/log.ts";
import { checkFilesReadableAgain, isInFile, secretOf } from "../../io/secret.ts";

/** The flags. */
export const AUTH_FLAGS: {
  readonly auth: Flag<string | undefined>;
  readonly "auth-env": Flag<string | undefined>;
} = {
  auth: {
    secret: true,
    ...optional(
      text("USER:PASSWORD", "", "ask for a user and password; @FILE has them, unseen in ps"),
    ),
  },
  "auth-env": optional(text("NAME", "", "the same, with them in this environment variable")),
};

/** Users who may see the site. */
export interface AuthOptions {
  readonly credentials: Credentials;
  /** The value that names their file, as `@FILE`; undefined if they are not in a file. */
  readonly file: string | undefined;
}

/** Reads who may see the site, if that is asked for. Throws a {@linkcode UsageError}. */
export function parseAuth(
  { auth, "auth-env": name }: Values<typeof AUTH_FLAGS>,
  env: Io["env"],
): AuthOptions | undefined {
  if (auth !== undefined && name !== undefined) {
    throw new UsageError("Options --auth and --auth-env exclude each other");
  }
  if (auth !== undefined) {
    const file = isInFile(auth) ? auth : undefined;
    return { credentials: credentialsOf(auth), file };
  }
  if (name === undefined) return undefined;
  const credentials = ofOption("--auth-env", () => parse(variable(name, env), ` in ${name}`));
  return { credentials, file: undefined };
}

function credentialsOf(auth: string): Credentials {
  return ofOption("--auth", () => parse(secretOf(auth), isInFile(auth) ? " in that file" : ""));
}

/** Has the credentials change with their file, on SIGHUP, if they are in one. */
export function followFile(auth: AuthOptions | undefined, log: Log, life: Lifecycle): void {
  if (auth?.file === undefined) return;
  const { credentials, file } = auth;
  life.onReload(() => {
    try {
      checkFilesReadableAgain("--auth", [file]);
      Object.assign(credentials, credentialsOf(file));
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

/** Reads USER:PASSWORD. Messages of errors do not show it. */
function parse(text: string, where: string): Credentials {
  const colon = text.indexOf(":");
  if (colon > 0 && colon < text.length - 1) {
    return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  throw new UsageError(
    `takes USER:PASSWORD${where}, with a colon between and neither empty; or @FILE`,
  );
}
