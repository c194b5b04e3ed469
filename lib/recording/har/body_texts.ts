/**
 * Bodies as strings of an archive. The archive is one string itself, and engines limit the length of that.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { formatSize } from "../../base/size.ts";

/** The longest text of one body, and of all of an archive, in characters of JSON. */
interface TextLimits {
  readonly body: number;
  readonly total: number;
}

const LIMITS: TextLimits = { body: 128 * 1024 * 1024, total: 256 * 1024 * 1024 };

/** A body as a text, in base64 if `encoding` says so; or why it is left out. */
export interface BodyText {
  readonly text?: string;
  readonly encoding?: "base64";
  readonly comment?: string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Makes the texts of one archive, within its limits. */
export class BodyTexts {
  readonly #most: number;
  #left: number;

  constructor({ body, total }: TextLimits = LIMITS) {
    this.#most = body;
    this.#left = total;
  }

  /** Returns the text of a body if it is UTF-8 and not `coded`, by gzip for example; else base64. */
  of(body: Buffer, coded = false): BodyText {
    if (body.length === 0) return {};
    const most = Math.min(this.#most, this.#left);
    // Neither form is shorter than the body.
    const fits = body.length <= most;
    const found = fits ? (coded ? undefined : textOf(body)) ?? base64Of(body) : undefined;
    if (found === undefined || found.length > most) {
      return { comment: `The body is left out: ${formatSize(body.length)} is too large.` };
    }
    this.#left -= found.length;
    return found.form;
  }
}

interface EncodedBody {
  readonly form: BodyText;
  /** In characters of JSON. */
  readonly length: number;
}

/** A body as text. Undefined if it is not UTF-8, or so full of controls that base64 is shorter. */
function textOf(body: Buffer): EncodedBody | undefined {
  try {
    const text = utf8.decode(body);
    const { length } = JSON.stringify(text);
    return length > 2 * body.length + 2 ? undefined : { form: { text }, length };
  } catch {
    return undefined;
  }
}

function base64Of(body: Buffer): EncodedBody {
  const text = body.toString("base64");
  return { form: { text, encoding: "base64" }, length: text.length };
}
