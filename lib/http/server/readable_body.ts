/**
 * The body of a request as the engine hands it to handlers.
 *
 * @module
 */

import { copyOf } from "../../base/borrowed.ts";
import { HttpError } from "../message/errors.ts";
import { Pieces } from "../message/content_pieces.ts";
import type { BodyReader } from "./body.ts";
import type { LightBody } from "./light.ts";

/** The parts of a connection that a body uses. */
export interface BodyConnection {
  /** The next bytes of the body, valid until the next call, or `null` at its end. */
  readBody(body: BodyReader): Promise<Uint8Array | null>;
}

/** See {@linkcode LightBody}. */
export class ReadableBody implements LightBody {
  readonly length: number | undefined;
  readonly #reader: BodyReader;
  readonly #connection: BodyConnection;

  constructor(reader: BodyReader, connection: BodyConnection) {
    this.length = reader.length;
    this.#reader = reader;
    this.#connection = connection;
  }

  async read(): Promise<Uint8Array | null> {
    const bytes = await this.#next();
    return bytes === null ? null : copyOf(bytes);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return new Pieces(() => this.read());
  }

  borrowed(): AsyncIterableIterator<Uint8Array> {
    return new Pieces(() => this.#next());
  }

  #next(): Promise<Uint8Array | null> {
    return this.#reader.dropped
      ? Promise.reject(tooLate())
      : this.#connection.readBody(this.#reader);
  }
}

function tooLate(): HttpError {
  const why = "The request was answered before its body was read";
  return new HttpError(400, "BODY_INCOMPLETE", why);
}
