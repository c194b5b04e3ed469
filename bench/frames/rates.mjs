/**
 * Frames per second in one process, without a socket: `rates.mjs MODULE SLICES MS`, where MODULE is
 * the URL of plainsocket's `mod.ts`, or of `mod.js` for Node. Prints a line of JSON: for each task its
 * name and, for each slice, the frames per second of time and of the process's CPU time.
 *
 * @module
 */

import process from "node:process";

const [module, slices, ms] = process.argv.slice(2);
const { encodeFrame, FrameDecoder, FrameReader, FrameWriter, ...made } = await import(module);
const { delimiter, fixedLength, lengthPrefix, lines, MemoryTransport } = made;

/** Frames of 64 bytes on the wire, as many as fill about 1 MiB. */
const FRAME = 64;
const FRAMES = 16 * 1024;

/** What a socket gives at once; not a multiple of a frame, so that each chunk ends within one. */
const CHUNK = 64 * 1024 - 20;

/** Keeps the engine from leaving out what nobody looks at. */
let seen = 0;

function payloadOf(framing) {
  const around = framing.name === "varint" ? 1 : framing.putHead(0, new Uint8Array(8), 0);
  return new Uint8Array(FRAME - around - framing.tail.length).fill(0x61);
}

function decoding(framing) {
  const frame = encodeFrame(framing, payloadOf(framing));
  const stream = new Uint8Array(FRAME * FRAMES);
  for (let at = 0; at < stream.length; at += FRAME) stream.set(frame, at);
  const chunks = [];
  for (let at = 0; at < stream.length; at += CHUNK) chunks.push(stream.subarray(at, at + CHUNK));
  return () => {
    const decoder = new FrameDecoder(framing);
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (let frame; (frame = decoder.next()) !== null;) seen += frame.length;
    }
  };
}

/** Takes frames in and sends them; the connection forgets them. */
function encoding(framing) {
  const payload = payloadOf(framing);
  const done = Promise.resolve();
  const writer = new FrameWriter({ write: () => done }, framing);
  return async () => {
    for (let i = 0; i < FRAMES; i++) {
      if (!writer.tryWrite(payload)) await writer.write(payload);
    }
    await writer.flush();
  };
}

/** From a writer to a reader, through a connection in memory. */
async function through(framing) {
  const payload = payloadOf(framing);
  const transport = new MemoryTransport();
  const listener = await transport.listen();
  const client = await transport.connect(listener.addr);
  const writer = new FrameWriter(client, framing);
  const reader = new FrameReader(await listener.accept(), framing);
  const send = async () => {
    for (let i = 0; i < FRAMES; i++) {
      if (!writer.tryWrite(payload)) await writer.write(payload);
    }
    await writer.flush();
  };
  return async () => {
    const sent = send();
    for (let left = FRAMES; left > 0;) {
      let frame = await reader.readBorrowed();
      do {
        seen += frame.length;
        left--;
      } while ((frame = reader.tryReadBorrowed()) !== null);
    }
    await sent;
  };
}

const u32 = lengthPrefix("u32");
const TASKS = [
  ["decode u32", decoding(u32)],
  ["encode u32", encoding(u32)],
  ["u32 through memory", await through(u32)],
  ["decode u32le", decoding(lengthPrefix("u32", { endian: "little" }))],
  ["decode varint", decoding(lengthPrefix("varint"))],
  ["decode fixed", decoding(fixedLength(FRAME))],
  ["decode lines", decoding(lines())],
  ["decode delimiter", decoding(delimiter(new Uint8Array([0x0d, 0x0a])))],
];

/** Runs a task for a while. */
async function slice(task) {
  let frames = 0;
  const started = performance.now();
  const cpu = process.cpuUsage();
  while (performance.now() - started < Number(ms)) {
    await task();
    frames += FRAMES;
  }
  const seconds = (performance.now() - started) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: frames / seconds, cpuRate: frames / ((user + system) / 1e6) };
}

const results = TASKS.map(([name]) => ({ name, samples: [] }));
// The first round is for the compiler to settle.
for (let round = 0; round <= Number(slices); round++) {
  for (const [i, [, task]] of TASKS.entries()) {
    const sample = await slice(task);
    if (round > 0) results[i].samples.push(sample);
  }
}
console.log(JSON.stringify(results));
if (seen === 0) throw new Error("No frame was decoded");
