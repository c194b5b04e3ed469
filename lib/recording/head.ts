/**
 * The first line of a recording that is made here and now.
 *
 * @module
 */

import process from "node:process";
import { VERSION } from "../base/version.ts";
import {
  RECORDING_FORMAT,
  RECORDING_VERSION,
  type RecordingHead,
  type Redaction,
} from "./format.ts";

/** The options of a head. */
export interface HeadOptions {
  readonly redaction?: Redaction;
  readonly connectionLimit?: number;
  readonly totalLimit?: number;
  readonly arguments?: readonly string[];
  readonly seed?: number;
}

/** Makes the head of a recording that starts now. */
export function recordingHead(options: HeadOptions): RecordingHead {
  return {
    format: RECORDING_FORMAT,
    version: RECORDING_VERSION,
    program: `plainsocket ${VERSION}`,
    runtime: runtime(),
    arguments: options.arguments ?? [],
    ...options.seed === undefined ? {} : { seed: options.seed },
    started: new Date().toISOString(),
    redaction: options.redaction ?? "fields",
    limits: { connection: options.connectionLimit ?? 0, total: options.totalLimit ?? 0 },
  };
}

/** The runtime and its version: `deno 2.9.6`. */
function runtime(): string {
  const { deno, bun, node } = process.versions as Record<string, string | undefined>;
  return deno !== undefined ? `deno ${deno}` : bun !== undefined ? `bun ${bun}` : `node ${node}`;
}
