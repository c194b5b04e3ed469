/**
 * Modules of the runtime that take long to load on Deno, 5 to 10 ms each. They are loaded when they are
 * first called for, which opens no file. The twin for Node is `builtins.node.ts`.
 *
 * @module
 */

import type * as childProcess from "node:child_process";
import type * as crypto from "node:crypto";
import type * as fs from "node:fs";
import process from "node:process";
import type * as tls from "node:tls";
import type * as zlib from "node:zlib";

/** Returns `node:child_process`. */
export function nodeChildProcess(): typeof childProcess {
  return process.getBuiltinModule("node:child_process");
}

/** Returns `node:crypto`. */
export function nodeCrypto(): typeof crypto {
  return process.getBuiltinModule("node:crypto");
}

/** Returns `node:fs`. */
export function nodeFs(): typeof fs {
  return process.getBuiltinModule("node:fs");
}

/** Returns `node:tls`. */
export function nodeTls(): typeof tls {
  return process.getBuiltinModule("node:tls");
}

/** Returns `node:zlib`. */
export function nodeZlib(): typeof zlib {
  return process.getBuiltinModule("node:zlib");
}
