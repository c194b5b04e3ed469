/**
 * Line ends as most protocols of the internet want them: CR and LF.
 *
 * @module
 */

const CR = 13;
const LF = 10;

/** Puts a CR before each LF that has none, also where the CR came in the chunk before. */
export async function* withCrlf(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let last = 0;
  for await (const chunk of source) {
    yield crlf(chunk, last);
    last = chunk.at(-1) ?? last;
  }
}

/** The same of one chunk, which came after the byte `last`. */
function crlf(chunk: Uint8Array, last: number): Uint8Array {
  const bare: number[] = [];
  for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
    if ((at === 0 ? last : chunk[at - 1]) !== CR) bare.push(at);
  }
  if (bare.length === 0) return chunk;
  const out = new Uint8Array(chunk.length + bare.length);
  let from = 0;
  for (const [i, at] of bare.entries()) {
    out.set(chunk.subarray(from, at), from + i);
    out[at + i] = CR;
    from = at;
  }
  out.set(chunk.subarray(from), from + bare.length);
  return out;
}
