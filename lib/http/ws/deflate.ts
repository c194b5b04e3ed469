/**
 * Compressed messages (RFC 7692), each by itself: neither side keeps a context.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { counted } from "../../base/counted.ts";
import { TOKEN } from "../../base/header_fields.ts";
import { CLOSE } from "./close_code.ts";
import { WsError } from "./error.ts";

/** The end of a compressed message, which is not sent (RFC 7692 section 7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** An empty block that is the last one: after whole blocks a stream ends with it, and nowhere else. */
const LAST = Buffer.from([0x03, 0x00]);

/** The bytes that are put after a message before it is inflated. */
const END = Buffer.concat([TAIL, LAST]);

/** Below this size compression makes a message larger, or nearly as large. */
const LEAST_SIZE = 64;

/** The parameters that both sides agreed on. */
export interface DeflateParameters {
  /**
   * The window of what this end compresses, as a power of 2: 8 to 15. With 8, which zlib does not have
   * for raw DEFLATE, nothing is compressed.
   */
  readonly windowBits: number;
}

/** Compresses and inflates the messages of one connection. */
export class Deflate {
  readonly #windowBits: number;

  constructor({ windowBits }: DeflateParameters) {
    this.#windowBits = windowBits;
  }

  /** Compresses a message; undefined if it is better sent as it is. */
  compress(message: Uint8Array): Uint8Array | undefined {
    if (message.length < LEAST_SIZE || this.#windowBits === 8) return undefined;
    const whole = deflateRawSync(message, {
      windowBits: this.#windowBits,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    const bytes = whole.subarray(0, whole.length - TAIL.length);
    return bytes.length < message.length ? bytes : undefined;
  }

  /** Inflates a message of at most `maxSize` bytes. Throws a {@linkcode WsError}. */
  inflate(compressed: Uint8Array, maxSize: number): Buffer {
    const parts: Buffer[] = [];
    let size = 0;
    let rest: Uint8Array = Buffer.concat([compressed, END]);
    // Behind a block that is marked as the last one, the message may go on (RFC 7692 section 7.2.3.4).
    while (rest.length > 0 && rest.length !== END.length) {
      const { buffer, taken } = inflateOnce(rest, maxSize - size);
      size += buffer.length;
      if (size > maxSize || taken === 0) {
        const why = `its compressed message has more than ${counted(maxSize, "byte")}`;
        throw new WsError(CLOSE.tooLarge, why);
      }
      parts.push(buffer);
      rest = rest.subarray(taken);
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }
}

/** The output of a stream, and the number of its bytes. */
interface Inflated {
  readonly buffer: Buffer;
  readonly taken: number;
}

const TOO_LARGE: Inflated = { buffer: Buffer.alloc(0), taken: 0 };

/** Inflates up to the end of a stream, which has to be there. */
function inflateOnce(bytes: Uint8Array, most: number): Inflated {
  try {
    const { buffer, engine } = inflateRawSync(bytes, {
      info: true,
      // zlib has no limit of 0; who calls counts.
      ...most < Infinity && { maxOutputLength: Math.max(most, 1) },
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return { buffer, taken: engine.bytesWritten };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ERR_BUFFER_TOO_LARGE") return TOO_LARGE;
    throw new WsError(CLOSE.data, "its compressed message cannot be inflated");
  }
}

/** The name of the extension. */
export const DEFLATE = "permessage-deflate";

/** One extension of a field, with its parameters. */
export interface Extension {
  readonly name: string;
  /** A parameter without a value is `true`. */
  readonly parameters: readonly (readonly [name: string, value: string | true])[];
}

const PARAMETER = new RegExp(`^\\s*;\\s*(${TOKEN})(?:\\s*=\\s*(?:(${TOKEN})|"(${TOKEN})"))?\\s*`);
const NAME = new RegExp(`^(${TOKEN})\\s*`);
/** Empty members of a list count for nothing (RFC 9110 section 5.6.1.2). */
const GAP = /^[\s,]*/;

/**
 * Takes Sec-WebSocket-Extensions apart (RFC 6455 section 9.1); undefined if that is not valid.
 */
export function parseExtensions(value: string): Extension[] | undefined {
  const extensions: Extension[] = [];
  let rest = value.replace(GAP, "");
  while (rest !== "") {
    const [all, name] = NAME.exec(rest) ?? [];
    if (all === undefined) return undefined;
    rest = rest.slice(all.length);
    const parameters: [string, string | true][] = [];
    for (let match; (match = PARAMETER.exec(rest)) !== null; rest = rest.slice(match[0].length)) {
      parameters.push([match[1], match[2] ?? match[3] ?? true]);
    }
    extensions.push({ name, parameters });
    if (rest !== "" && !rest.startsWith(",")) return undefined;
    rest = rest.replace(GAP, "");
  }
  return extensions;
}

/** The extension in a response, and its parameters. */
export interface DeflateAgreement extends DeflateParameters {
  readonly text: string;
}

/** Whether a value is a number of bits for a window: 8 to 15, without a zero before it. */
function isBits(value: string | true): value is string {
  return value !== true && /^([89]|1[0-5])$/.test(value);
}

/**
 * Accepts the first offer that can be kept (RFC 7692 section 7.1); undefined without such an offer.
 */
export function acceptDeflate(offers: readonly Extension[]): DeflateAgreement | undefined {
  for (const { name, parameters } of offers) {
    if (name.toLowerCase() !== DEFLATE) continue;
    const accepted = acceptOffer(parameters);
    if (accepted !== undefined) return accepted;
  }
}

function acceptOffer(parameters: Extension["parameters"]): DeflateAgreement | undefined {
  const seen = new Set<string>();
  let windowBits = 15;
  let text = `${DEFLATE}; server_no_context_takeover; client_no_context_takeover`;
  for (const [name, value] of parameters) {
    if (seen.has(name)) return undefined;
    seen.add(name);
    switch (name) {
      case "server_no_context_takeover":
      case "client_no_context_takeover":
        if (value !== true) return undefined;
        break;
      case "client_max_window_bits":
        // A hint: all windows can be inflated.
        if (value !== true && !isBits(value)) return undefined;
        break;
      case "server_max_window_bits":
        // zlib has no window of 8 bits for raw deflate.
        if (!isBits(value) || value === "8") return undefined;
        windowBits = Number(value);
        text += `; server_max_window_bits=${windowBits}`;
        break;
      default:
        return undefined;
    }
  }
  return { windowBits, text };
}

/** The offer of a client: no context on either side, and any window. */
export const DEFLATE_OFFER: string =
  `${DEFLATE}; client_no_context_takeover; server_no_context_takeover; client_max_window_bits`;

/**
 * Returns the parameters of a server's response to {@linkcode DEFLATE_OFFER}. Undefined if it is
 * not valid.
 */
export function agreedDeflate(response: readonly Extension[]): DeflateParameters | undefined {
  const [{ name, parameters }, ...more] = response;
  if (more.length > 0 || name.toLowerCase() !== DEFLATE) return undefined;
  const seen = new Map(parameters);
  if (seen.size !== parameters.length) return undefined;
  for (const [parameter, value] of parameters) {
    const bits = parameter === "client_max_window_bits" || parameter === "server_max_window_bits";
    const flag = parameter === "client_no_context_takeover" ||
      parameter === "server_no_context_takeover";
    if (!(bits && isBits(value) || flag && value === true)) return undefined;
  }
  // It was asked for, and a context is not kept here.
  if (!seen.has("server_no_context_takeover")) return undefined;
  return { windowBits: Number(seen.get("client_max_window_bits") ?? 15) };
}
