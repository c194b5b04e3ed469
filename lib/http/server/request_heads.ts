/**
 * The heads of the requests that come in on a connection, one after the other.
 *
 * @module
 */

import { framingOf } from "../message/request_framing.ts";
import { type HeadLimits, HeadParser } from "../message/request_head.ts";
import { HeadMemory, type ParsedHead } from "./head_memory.ts";
import type { Input } from "./input.ts";

/** See the module. */
export class RequestHeads {
  readonly #input: Input;
  readonly #parser: HeadParser;
  readonly #memory: HeadMemory = new HeadMemory();

  constructor(input: Input, limits: HeadLimits) {
    this.#input = input;
    this.#parser = new HeadParser(limits);
  }

  /** Whether a part of a head has come. */
  get started(): boolean {
    return this.#parser.started;
  }

  /** The next head, if all of it has come. Throws {@linkcode HttpError} if it is not right. */
  next(): ParsedHead | undefined {
    const input = this.#input;
    if (input.empty) return undefined;
    const start = input.from;
    const whole = !this.#parser.started;
    const known = whole ? this.#memory.recall(input) : undefined;
    if (known !== undefined) return known;
    const end = this.#parser.parse(input.chunk, start, input.to);
    input.from = end === -1 ? input.to : end;
    if (end === -1) return undefined;
    const head = this.#parser.take();
    const parsed = { head, framing: framingOf(head) };
    if (whole) this.#memory.remember(input, start, parsed);
    return parsed;
  }
}
