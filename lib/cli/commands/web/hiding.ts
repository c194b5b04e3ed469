/**
 * Hides the credentials of requests from whoever reads the log.
 *
 * @module
 */

import type { SocketEvent } from "../../../observe/events.ts";

const [TAB, LF, CR, SPACE, COLON, STAR] = [9, 10, 13, 32, 58, 42];

/** The fields whose values are credentials (RFC 9110 section 11), in lower case. */
const FIELDS = ["authorization", "proxy-authorization"];

/** The schemes whose names are shown, in lower case. */
const SCHEMES = ["basic", "bearer", "digest", "negotiate", "ntlm"];

/** So many stars stand for what is hidden, and spaces for the rest of it: its length stays. */
const STARS = 3;

type Part = "name" | "scheme" | "secret" | "other";

/** Follows what one connection receives, however it is cut into pieces. */
class Hider {
  #part: Part = "name";
  /** The name of the field or the scheme so far, in lower case. */
  #word = "";
  #stars = 0;

  /** Returns `data`, or a copy in which what is secret is covered. */
  cover(data: Uint8Array): Uint8Array {
    let shown = data;
    for (const [i, byte] of data.entries()) {
      if (!this.#isSecret(byte)) continue;
      if (shown === data) shown = Uint8Array.from(data);
      shown[i] = this.#stars++ < STARS ? STAR : SPACE;
    }
    return shown;
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
        if (byte === COLON && FIELDS.includes(this.#word.trimEnd())) {
          this.#part = "scheme";
          this.#word = "";
          this.#stars = 0;
        } else if (this.#word.length > 40) this.#part = "other";
        else this.#word += letter;
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

/** Makes what passes events on, with the credentials in what is received covered by `***`. */
export function hidingCredentials(): (event: SocketEvent) => SocketEvent {
  const open = new Map<number, Hider>();
  return (event) => {
    if (event.type === "accept") open.set(event.socket, new Hider());
    if (event.type === "close") open.delete(event.socket);
    if (event.type !== "recv") return event;
    const hider = open.get(event.socket);
    return hider === undefined ? event : { ...event, data: hider.cover(event.data) };
  };
}
