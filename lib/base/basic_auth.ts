/**
 * The credentials of Basic authentication (RFC 7617).
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** A user and a password. */
export interface Credentials {
  /** The name, which has no colon. */
  readonly user: string;
  /** The password, of any characters. */
  readonly password: string;
}

/**
 * The user and password in a value of Authorization; undefined if it has none. They are not verified:
 * anybody may have sent them.
 */
export function credentialsOf(authorization: string | undefined): Credentials | undefined {
  const match = /^basic +([\w+/-]+=*)$/i.exec(authorization ?? "");
  if (match === null) return undefined;
  const text = Buffer.from(match[1], "base64").toString();
  const colon = text.indexOf(":");
  if (colon === -1) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
