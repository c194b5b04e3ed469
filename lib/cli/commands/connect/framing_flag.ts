/**
 * The flags of `connect` and `replay` that say where messages end.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { counted } from "../../../base/counted.ts";
import {
  delimiter,
  fixedLength,
  type Framing,
  type FramingOptions,
  lengthPrefix,
  lines,
} from "../../../frames/mod.ts";
import { parseSize } from "../../../base/size.ts";
import { type Flag, needing, size, UsageError } from "../../io/flags.ts";

/** A framing that only waits for its limit. */
export type FramingChoice = (options: FramingOptions) => Framing;

const CHOICES: Readonly<Record<string, FramingChoice>> = {
  lines,
  u8: (options) => lengthPrefix("u8", options),
  u16: (options) => lengthPrefix("u16", options),
  u16le: (options) => lengthPrefix("u16", { ...options, endian: "little" }),
  u32: (options) => lengthPrefix("u32", options),
  u32le: (options) => lengthPrefix("u32", { ...options, endian: "little" }),
  varint: (options) => lengthPrefix("varint", options),
};

/** The flag that chooses the framing. */
export function framingFlag(help: string): Flag<FramingChoice | undefined> {
  return { arg: "FRAMING", help, fallback: undefined, parse: parseFraming };
}

/** The flag that bounds a frame, which goes with `--frame`. */
export const FRAME_LIMIT_FLAG: Flag<number> = needing(
  "frame",
  size([1, 0xffff_ffff], 0, "the largest frame (default 1 MiB)"),
);

/** Flags that choose the framing. */
export interface FrameValues {
  readonly frame: FramingChoice | undefined;
  /** 0 is that of the framing itself. */
  readonly "frame-limit": number;
}

/** Flags that cannot go with frames. */
export interface FrameContext {
  readonly crlf: boolean;
  readonly udp: boolean;
  readonly probe: boolean;
}

/** Throws a {@linkcode UsageError} if frames are asked for where there can be none. */
export function checkFrames({ frame, crlf, udp, probe }: FrameValues & FrameContext): void {
  if (frame === undefined) return;
  if (crlf) {
    throw new UsageError("Options --crlf and --frame exclude each other: see delimiter:\\r\\n");
  }
  // A datagram is a message already, and a probe sends none.
  if (udp) throw new UsageError("Options --udp and --frame exclude each other");
  if (probe) throw new UsageError("Options --probe and --frame exclude each other");
}

/** The framing that is asked for, if one is. Throws a {@linkcode UsageError}. */
export function framingOf({ frame, "frame-limit": limit }: FrameValues): Framing | undefined {
  if (frame === undefined) return undefined;
  const usual = frame({});
  if (limit === 0) return usual;
  try {
    const limited = frame({ maxSize: limit });
    if (limited.maxSize === limit) return limited;
  } catch (error) {
    // Of a limit that the length cannot say.
    if (!(error instanceof RangeError)) throw error;
  }
  const frames = `frames (${usual.name}) of at most ${counted(usual.maxSize, "byte")}`;
  throw new UsageError(`Option --frame-limit cannot be ${limit} for ${frames}`);
}

function parseFraming(text: string): FramingChoice {
  if (Object.hasOwn(CHOICES, text)) return CHOICES[text];
  const size = text.startsWith("fixed:") ? parseSize(text.slice("fixed:".length)) : undefined;
  if (size !== undefined && size >= 1 && size < 1e9 && Number.isInteger(size)) {
    return () => fixedLength(size);
  }
  const [, end] = /^delimiter:(.+)$/s.exec(text) ?? [];
  const bytes = end === undefined ? undefined : unescape(end);
  if (bytes !== undefined && bytes.length <= 256) return (options) => delimiter(bytes, options);
  throw new UsageError(
    `takes ${Object.keys(CHOICES).join(", ")}, fixed:SIZE or delimiter:TEXT (with \\n, \\r, \\t, ` +
      `\\\\ and \\xHH), not '${text}'`,
  );
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\" };

/** The bytes that a text with escapes stands for; undefined if one of them is not right. */
function unescape(text: string): Uint8Array | undefined {
  const parts: Buffer[] = [];
  for (const [part, letter, digits] of text.matchAll(/\\(?:([nrt\\])|x([0-9a-fA-F]{2}))|[^]/gu)) {
    if (part === "\\") return undefined;
    if (digits !== undefined) parts.push(Buffer.from(digits, "hex"));
    else parts.push(Buffer.from(letter === undefined ? part : ESCAPES[letter]));
  }
  return new Uint8Array(Buffer.concat(parts));
}
