/**
 * Modules of Node that take long to load: 5 ms on Node 20, and 15 ms on Node 24 and 26. They are loaded
 * when they are first called for, which opens no file. The twin for Deno is `builtins.deno.ts`.
 *
 * @module
 */

import type * as crypto from "node:crypto";
import { createRequire } from "node:module";
import process from "node:process";
import type * as tls from "node:tls";

/** Modules of Node are found from any path. */
const require = createRequire(process.execPath);

/** Returns `node:crypto`. */
export function nodeCrypto(): typeof crypto {
  return require("node:crypto");
}

/** Returns `node:tls`. */
export function nodeTls(): typeof tls {
  return require("node:tls");
}
