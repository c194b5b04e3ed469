/**
 * Modules of the runtime that take long to load on Deno or Node: `node:tls` 5 ms on Node 20, and 15 ms on
 * Node 24 and 26. They are loaded when they are first called for, which opens no file; but `node:fs`
 * Node has loaded itself. The twin for Deno is `builtins.deno.ts`.
 *
 * @module
 */

import type * as childProcess from "node:child_process";
import type * as crypto from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import type * as tls from "node:tls";
import type * as zlib from "node:zlib";

/** Finds modules of Node only, which it does from any path. */
const require = createRequire(process.execPath);

/** Returns `node:child_process`. */
export function nodeChildProcess(): typeof childProcess {
  return require("node:child_process");
}

/** Returns `node:crypto`. */
export function nodeCrypto(): typeof crypto {
  return require("node:crypto");
}

/** Returns `node:fs`. */
export function nodeFs(): typeof fs {
  return fs;
}

/** Returns `node:tls`. */
export function nodeTls(): typeof tls {
  return require("node:tls");
}

/** Returns `node:zlib`. */
export function nodeZlib(): typeof zlib {
  return require("node:zlib");
}
