// The ends of messages in a stream, as in lib/frames/: lines, or a length before each message; and
// the frames of WebSocket (RFC 6455 section 5.2).

/**
 * `name` says what a frame of WebSocket is, and `bytes` what it has without its mask.
 * @typedef {{ from: number, to: number, size: number | undefined, whole: boolean, name?: string, bytes?: Uint8Array }} Frame
 */

/** The framings, as `--frame` names them. */
export const FRAMINGS = ["lines", "u8", "u16", "u16le", "u32", "u32le", "varint", "websocket"];

/** @type {Record<number, string>} */
const OPCODES = { 0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };

/** Longer than any frame that a guess is made of. */
const MOST_GUESSED = 1 << 24;

/**
 * The frames of a stream, each with where its content is. The last one may not be whole.
 * @param {Uint8Array} stream
 * @param {string} framing
 * @returns {Frame[]}
 */
export function framesOf(stream, framing) {
  if (framing === "websocket") return webSocketFrames(stream);
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
  if (handshakeEnd(stream) > 0) return "websocket";
  const even = ["u32", "u16", "u32le", "u16le", "varint", "u8"].find((framing) => {
    const frames = framesOf(stream, framing);
    return frames.every(({ whole, size = 0 }) => whole && size > 0 && size < MOST_GUESSED);
  });
  return stream.includes(0x0a) && stream.at(-1) === 0x0a ? "lines" : even ?? "lines";
}

const HANDSHAKE = /^(?:GET \S+ HTTP\/1\.1|HTTP\/1\.1 101 .*)\r\n[^]*?^Upgrade: *websocket\r$/im;

/**
 * Returns the end of the head that a stream of WebSocket begins with. 0 if it has no head.
 * @param {Uint8Array} stream
 */
function handshakeEnd(stream) {
  const head = new TextDecoder("latin1").decode(stream.subarray(0, 8192));
  const end = head.indexOf("\r\n\r\n");
  return end > 0 && HANDSHAKE.test(head.slice(0, end + 2)) ? end + 4 : 0;
}

/**
 * The frames of WebSocket behind the handshake, which is shown as one of them.
 * @param {Uint8Array} stream
 * @returns {Frame[]}
 */
function webSocketFrames(stream) {
  const start = handshakeEnd(stream);
  /** @type {Frame[]} */
  const frames = start > 0
    ? [{ from: 0, to: start, size: start, whole: true, name: "handshake" }]
    : [];
  for (let at = start; at < stream.length;) {
    const second = stream[at + 1] ?? 0;
    const short = second & 0x7f;
    const wide = short === 126 ? 2 : short === 127 ? 8 : 0;
    const masked = second >= 0x80 ? 4 : 0;
    const head = at + 2 + wide;
    const from = Math.min(head + masked, stream.length);
    let size = wide === 0 ? short : 0;
    for (let i = 0; i < wide; i++) size = size * 256 + (stream[at + 2 + i] ?? 0);
    const to = Math.min(from + size, stream.length);
    const whole = head + masked + size <= stream.length;
    const bytes = new Uint8Array(stream.subarray(from, to));
    if (masked) bytes.forEach((byte, i) => bytes[i] = byte ^ stream[head + i % 4]);
    frames.push({ from, to, size, whole, name: nameOf(stream[at], bytes), bytes });
    if (!whole) break;
    at = to;
  }
  return frames;
}

/**
 * Describes a frame in words.
 * @param {number} first its first byte
 * @param {Uint8Array} bytes
 */
function nameOf(first, bytes) {
  const opcode = first & 0x0f;
  const name = OPCODES[opcode] ?? `opcode ${opcode}`;
  const code = opcode === 8 && bytes.length > 1 ? ` ${bytes[0] * 256 + bytes[1]}` : "";
  const more = first < 0x80 ? ", more follows" : "";
  return `${name}${code}${first & 0x40 ? ", compressed" : ""}${more}`;
}
