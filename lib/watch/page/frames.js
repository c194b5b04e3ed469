// Where messages end in a stream, as lib/frames/ has it: lines, or a length before each message.

/** @typedef {{ from: number, to: number, size: number | undefined, whole: boolean }} Frame */

/** How frames are told apart, as `--frame` names it. */
export const FRAMINGS = ["lines", "u8", "u16", "u16le", "u32", "u32le", "varint"];

/** Longer than any frame that a guess is made of. */
const MOST_GUESSED = 1 << 24;

/**
 * The frames of a stream, each with where its content is. The last one may not be whole.
 * @param {Uint8Array} stream
 * @param {string} framing
 * @returns {Frame[]}
 */
export function framesOf(stream, framing) {
  /** @type {Frame[]} */
  const frames = [];
  for (let at = 0; at < stream.length;) {
    const { head, size, tail } = framing === "lines"
      ? lineAt(stream, at)
      : prefixAt(stream, at, framing);
    const from = Math.min(at + head, stream.length);
    const to = Math.min(from + (size ?? Infinity), stream.length);
    const whole = size !== undefined && from + size + tail <= stream.length;
    frames.push({ from, to, size, whole });
    if (!whole) break;
    at = to + tail;
  }
  return frames;
}

/**
 * A line, without CRLF or LF.
 * @param {Uint8Array} stream
 * @param {number} at
 */
function lineAt(stream, at) {
  const end = stream.indexOf(0x0a, at);
  if (end < 0) return { head: 0, size: undefined, tail: 0 };
  const tail = end > at && stream[end - 1] === 0x0d ? 2 : 1;
  return { head: 0, size: end + 1 - tail - at, tail };
}

/**
 * The length before a frame. It is unknown while not all of it has come.
 * @param {Uint8Array} stream
 * @param {number} at
 * @param {string} framing
 */
function prefixAt(stream, at, framing) {
  if (framing === "varint") {
    let size = 0;
    for (let i = 0; i < 8 && at + i < stream.length; i++) {
      const byte = stream[at + i];
      size += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { head: i + 1, size, tail: 0 };
    }
    return { head: 8, size: undefined, tail: 0 };
  }
  const width = Number(framing.slice(1).replace("le", "")) / 8;
  if (at + width > stream.length) return { head: width, size: undefined, tail: 0 };
  const bytes = [...stream.subarray(at, at + width)];
  if (framing.endsWith("le")) bytes.reverse();
  return { head: width, size: bytes.reduce((sum, byte) => sum * 256 + byte, 0), tail: 0 };
}

/**
 * The framing that a stream seems to have: one of lengths that come out even, else lines.
 * @param {Uint8Array} stream
 */
export function guessFraming(stream) {
  const even = ["u32", "u16", "u32le", "u16le", "varint", "u8"].find((framing) => {
    const frames = framesOf(stream, framing);
    return frames.every(({ whole, size = 0 }) => whole && size > 0 && size < MOST_GUESSED);
  });
  return stream.includes(0x0a) && stream.at(-1) === 0x0a ? "lines" : even ?? "lines";
}
