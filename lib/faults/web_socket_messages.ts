/**
 * Finds the messages of a WebSocket in one direction of a connection (RFC 6455 section 5). Nothing is
 * checked: broken messages pass, too.
 *
 * @module
 */

/** A longer line is not one of a handshake. */
const MAX_LINE = 8192;

const FIRST_LINE = /^(GET .* HTTP\/1\.1|HTTP\/1\.1 101( .*)?)$/;

const UPGRADE = /^upgrade:[ \t]*websocket[ \t]*$/i;

/** A part of a message: of the header of one of its frames, or of the content. */
export interface MessagePart {
  /** The number of the message in its direction, from 1. */
  readonly message: number;
  readonly content: boolean;
  /** The number of bytes of the direction before it, and up to its end. */
  readonly from: number;
  readonly to: number;
}

/** See the module. */
export class MessageScanner {
  #step: "first line" | "fields" | "frames" | "other" = "first line";
  #line = "";
  #upgrades = false;
  /** The header of the frame under way, as far as it has come, and how much of the content has not. */
  #header: number[] = [];
  #left = 0;
  /** The number of the message that the frame is of; 0 for a control frame. */
  #message = 0;
  #begun = 0;

  /** The number of messages that have begun. */
  get begun(): number {
    return this.#begun;
  }

  /** Takes the next bytes, before which `position` have come. Calls `onPart` for each part of a message. */
  scan(bytes: Uint8Array, position: number, onPart: (part: MessagePart) => void): void {
    let at = 0;
    while (at < bytes.length && (this.#step === "first line" || this.#step === "fields")) {
      this.#takeHead(bytes[at++]);
    }
    while (at < bytes.length && this.#step === "frames") {
      const content = this.#left > 0;
      const end = content ? this.#takeContent(bytes, at) : this.#takeHeader(bytes, at);
      if (this.#message > 0) {
        onPart({ message: this.#message, content, from: position + at, to: position + end });
      }
      at = end;
    }
  }

  /** Takes a byte of the first head. */
  #takeHead(byte: number): void {
    if (byte !== 0x0a) this.#line += String.fromCharCode(byte);
    else this.#endLine(this.#line.replace(/\r$/, ""));
    if (this.#line.length > MAX_LINE) this.#step = "other";
  }

  #endLine(line: string): void {
    this.#line = "";
    if (this.#step === "first line") this.#step = FIRST_LINE.test(line) ? "fields" : "other";
    else if (line === "") this.#step = this.#upgrades ? "frames" : "other";
    else this.#upgrades ||= UPGRADE.test(line);
  }

  /** Takes bytes of content. Returns where they end, as the next one does. */
  #takeContent(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    return end;
  }

  #takeHeader(bytes: Uint8Array, at: number): number {
    const header = this.#header;
    if (header.length === 0) this.#begin(bytes[at] & 0x0f);
    while (at < bytes.length && header.length < sizeOf(header)) header.push(bytes[at++]);
    if (header.length === sizeOf(header)) {
      this.#left = contentOf(header);
      this.#header = [];
    }
    return at;
  }

  #begin(opcode: number): void {
    const isControl = opcode >= 0x8;
    if (!isControl && opcode > 0) this.#begun++;
    this.#message = isControl ? 0 : this.#begun;
  }
}

/** The size of the header that begins with these bytes. */
function sizeOf([, second]: readonly number[]): number {
  if (second === undefined) return 2;
  const short = second & 0x7f;
  return (short < 126 ? 2 : short === 126 ? 4 : 10) + (second >= 0x80 ? 4 : 0);
}

/** The number of bytes after a header. */
function contentOf(header: readonly number[]): number {
  const short = header[1] & 0x7f;
  if (short < 126) return short;
  return header.slice(2, short === 126 ? 4 : 10).reduce((sum, byte) => sum * 256 + byte, 0);
}
