/**
 * The opening handshake (RFC 6455 section 4), without a socket.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import * as crypto from "node:crypto";
import { membersOf } from "../message/fields.ts";
import { isToken } from "../../base/header_fields.ts";

/** The protocol that HTTP is left for. */
export const WEBSOCKET = "websocket";

/** The one version there is. */
export const WS_VERSION = "13";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Makes a key: 16 random bytes. */
export function newKey(): string {
  return crypto.randomBytes(16).toString("base64");
}

/** Whether a key is 16 bytes in base64 (RFC 6455 section 4.2.1). */
export function isKey(key: string): boolean {
  return /^[A-Za-z0-9+/]{22}==$/.test(key) && Buffer.from(key, "base64").length === 16;
}

/** The value of Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2). */
export function acceptOf(key: string): string {
  // In one call nothing is left that waits to be collected. Node has it from 20.12.
  return crypto.hash?.("sha1", key + GUID, "base64") ??
    crypto.createHash("sha1").update(key + GUID).digest("base64");
}

/** The subprotocols that a client asks for; undefined if the field is not valid. */
export function parseProtocols(value: string | undefined): string[] | undefined {
  if (value === undefined) return [];
  // Empty members of a list count for nothing (RFC 9110 section 5.6.1.2).
  const protocols = membersOf(value).filter((member) => member !== "");
  const valid = protocols.length > 0 && protocols.every(isToken) &&
    new Set(protocols).size === protocols.length;
  return valid ? protocols : undefined;
}
