/**
 * Bytes as people look at them: `> 00000000  47 45 54 20 2f 0a                                |GET /.|`.
 *
 * @module
 */

const WIDTH = 16;
const HALF = WIDTH / 2;

const HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

/** The direction of bytes: `>` to the peer, `<` from it. */
export type Direction = ">" | "<";

/** Dumps both directions of a connection; each counts its own bytes. */
export class HexDump {
  readonly #offsets: Record<Direction, number> = { ">": 0, "<": 0 };

  /** The lines of some bytes, each with its line end. Bytes that come later begin a new line. */
  lines(direction: Direction, data: Uint8Array): string {
    let out = "";
    for (let at = 0; at < data.length; at += WIDTH) {
      const offset = (this.#offsets[direction] + at).toString(16).padStart(8, "0");
      out += `${direction} ${offset}  ${columns(data.subarray(at, at + WIDTH))}\n`;
    }
    this.#offsets[direction] += data.length;
    return out;
  }
}

function columns(bytes: Uint8Array): string {
  let hex = "";
  let text = "";
  for (const [i, byte] of bytes.entries()) {
    hex += `${i === HALF ? " " : ""}${HEX[byte]} `;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
  }
  return `${hex.padEnd(WIDTH * 3 + 1)} |${text}|`;
}
