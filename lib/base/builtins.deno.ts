/**
 * Modules of Node, which on Deno are loaded with those that import this one: they are for TLS, and loaded
 * when it is first asked for. The twin for Node is `builtins.node.ts`.
 *
 * @module
 */

import crypto from "node:crypto";
import tls from "node:tls";

/** Returns `node:crypto`. */
export function nodeCrypto(): typeof crypto {
  return crypto;
}

/** Returns `node:tls`. */
export function nodeTls(): typeof tls {
  return tls;
}
