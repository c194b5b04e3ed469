/**
 * Hides the credentials in HTTP from the readers of a log or a recording.
 *
 * @module
 */

import { checkArgument, TEXTS } from "../base/arguments.ts";
import { CREDENTIAL_FIELDS } from "../base/header_fields.ts";
import type { SocketEvent } from "../observe/events.ts";

const [TAB, LF, CR, SPACE, COLON, STAR] = [9, 10, 13, 32, 58, 42];

/** The longest name of a field that is looked for, with the white space after it. */
const MAX_NAME = 40;

/** The schemes whose names are shown, in lower case. */
const SCHEMES = ["basic", "bearer", "digest", "negotiate", "ntlm"];

/** The number of stars that cover a secret. Spaces cover the rest of it, so that its length stays. */
const STARS = 3;

type Part = "name" | "scheme" | "secret" | "other";

/** Follows what passes in one direction of a connection, however it is cut into pieces. */
class Redactor {
  readonly #fields: readonly string[];
  #part: Part = "name";
  /** The name of the field or the scheme so far, in lower case. */
  #word = "";
  #stars = 0;

  constructor(fields: readonly string[]) {
    this.#fields = fields;
  }

  /** Returns `data`, or a copy in which what is secret is covered. */
  cover(data: Uint8Array): Uint8Array {
    let shown = data;
    for (let i = 0; i < data.length; i++) {
      // Most bytes are in the middle of a line that is not looked at.
      if (this.#part === "other") {
        i = data.indexOf(LF, i);
        if (i < 0) break;
      }
      if (!this.#isSecret(data[i])) continue;
      if (shown === data) shown = new Uint8Array(data);
      shown[i] = this.#stars++ < STARS ? STAR : SPACE;
    }
    return shown;
  }

  /** Whether the line may still begin with one of the fields. White space may stand before its colon. */
  #mayBeField(): boolean {
    const word = this.#word.trimEnd();
    return this.#word.length <= MAX_NAME &&
      this.#fields.some((field) =>
        field.startsWith(word) && (word === field || word === this.#word)
      );
  }

  #isSecret(byte: number): boolean {
    const secret = this.#part === "secret" || this.#part === "scheme";
    if (byte === LF) {
      this.#part = secret ? "secret" : "name";
      this.#word = "\n";
      return false;
    }
    // A line that begins with a space goes on with the one before it.
    if (this.#word === "\n") {
      this.#word = "";
      if (byte !== SPACE && byte !== TAB) this.#part = "name";
    }
    const isSpace = byte === SPACE || byte === TAB || byte === CR;
    const letter = String.fromCharCode(byte).toLowerCase();
    switch (this.#part) {
      case "name":
        if (byte === COLON && this.#fields.includes(this.#word.trimEnd())) {
          this.#part = "scheme";
          this.#word = "";
          this.#stars = 0;
        } else {
          this.#word += letter;
          if (!this.#mayBeField()) this.#part = "other";
        }
        return false;
      case "scheme":
        if (isSpace) {
          if (SCHEMES.includes(this.#word)) this.#part = "secret";
          return false;
        }
        this.#word += letter;
        if (SCHEMES.some((scheme) => scheme.startsWith(this.#word))) return false;
        this.#part = "secret";
        return true;
      case "secret":
        return byte !== CR && (this.#stars > 0 || !isSpace);
      case "other":
        return false;
    }
  }
}

/**
 * Makes a function that returns each event with the values of some header fields covered by `***`, in
 * what is sent and received. `fields` are their names in lower case; default: Authorization,
 * Proxy-Authorization, Cookie and Set-Cookie. Lengths stay as they are. A stream may be cut into pieces
 * anywhere; a datagram stands for itself. Use one function for all events of a sink, in their order.
 */
export function redacting(
  fields: readonly string[] = CREDENTIAL_FIELDS,
): (event: SocketEvent) => SocketEvent {
  checkArgument("redacting", fields, TEXTS);
  const open = new Map<string, Redactor>();
  return (event) => {
    if (event.type === "close") {
      open.delete(`recv ${event.socket}`);
      open.delete(`send ${event.socket}`);
    }
    if (event.type !== "recv" && event.type !== "send") return event;
    const peer = event.type === "recv" ? event.from : event.to;
    if (peer !== undefined) {
      return { ...event, data: new Redactor(fields).cover(event.data) };
    }
    const direction = `${event.type} ${event.socket}`;
    let redactor = open.get(direction);
    if (redactor === undefined) open.set(direction, redactor = new Redactor(fields));
    return { ...event, data: redactor.cover(event.data) };
  };
}
