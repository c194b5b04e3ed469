// Videos for tests, made on the spot: WebM (the part of Matroska, RFC 9559, that browsers play) of
// VP8 frames that a browser encodes.

import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";

/** The frames' colours; they are far from each other, since encoding blurs them. */
const PALETTE = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]] as const;
const [WIDTH, HEIGHT] = [160, 96];

/** How long a video is: so many frames can be told from each other. */
export const SECONDS: number = PALETTE.length ** 2;

/** Run by the page, which has to be of a secure context: on loopback it is. */
const ENCODE = `async () => {
  const frames = [];
  let failure;
  const encoder = new VideoEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      frames.push(Array.from(bytes));
    },
    error: (error) => failure = error,
  });
  encoder.configure({ codec: "vp8", width: ${WIDTH}, height: ${HEIGHT} });
  const canvas = new OffscreenCanvas(${WIDTH}, ${HEIGHT});
  const context = canvas.getContext("2d");
  const palette = ${JSON.stringify(PALETTE)};
  for (let i = 0; i < ${SECONDS}; i++) {
    for (const [x, digit] of [[0, Math.floor(i / palette.length)], [${
  WIDTH / 2
}, i % palette.length]]) {
      context.fillStyle = \`rgb(\${palette[digit]})\`;
      context.fillRect(x, 0, ${WIDTH / 2}, ${HEIGHT});
    }
    const frame = new VideoFrame(canvas, { timestamp: i * 1e6 });
    encoder.encode(frame, { keyFrame: true });
    frame.close();
  }
  await encoder.flush();
  if (failure) throw failure;
  return frames;
}`;

/** Run by the page: shows `second` of its video, and tells the colours that its two halves have then. */
const SEEK = `async (second) => {
  const video = document.querySelector("video");
  const event = (type) => new Promise((resolve, reject) => {
    video.addEventListener(type, resolve, { once: true });
    video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true });
  });
  if (video.error) throw new Error(video.error.message);
  if (video.readyState < 1) await event("loadedmetadata");
  // "seeked" may come before the frame is there to be drawn.
  const shown = new Promise((resolve) => {
    const look = (_, { mediaTime }) => {
      if (Math.floor(mediaTime) === Math.floor(second)) resolve();
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  });
  const sought = event("seeked");
  video.currentTime = second;
  await Promise.all([sought, shown]);
  const canvas = new OffscreenCanvas(${WIDTH}, ${HEIGHT});
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const { data } = context.getImageData(0, ${HEIGHT / 2}, ${WIDTH}, 1);
  return [${WIDTH / 4}, ${WIDTH * 3 / 4}].map((x) => Array.from(data.subarray(4 * x, 4 * x + 3)));
}`;

/**
 * Makes a video whose every second has a picture of its own, and `padding` bytes, which stand for the
 * detail that those of a camera have.
 */
export async function makeVideo(page: Page, padding: number): Promise<Buffer> {
  const frames = await page.evaluate(`(${ENCODE})()`) as number[][];
  return webm(frames.map((frame) => Buffer.from(frame)), padding);
}

/** Has the page's video show a second, and tells which one it shows. */
export async function seekVideo(page: Page, second: number): Promise<number> {
  const halves = await page.evaluate(`(${SEEK})(${second})`) as number[][];
  const [left, right] = halves.map((pixel) => {
    const distances = PALETTE.map((color) =>
      Math.max(...color.map((value, i) => Math.abs(value - pixel[i])))
    );
    return distances.indexOf(Math.min(...distances));
  });
  return left * PALETTE.length + right;
}

/** One second for each frame, a key frame, in a cluster of its own, and the index before them all. */
function webm(frames: readonly Buffer[], padding: number): Buffer {
  const clusters = frames.map((frame, second) =>
    element(
      "1F43B675", // Cluster
      element("E7", uint(second * 1000)), // Timestamp
      // SimpleBlock: of track 1, at once, a key frame. Behind its end a decoder of VP8 looks for nothing.
      element("A3", Buffer.from([0x81, 0, 0, 0x80]), frame, Buffer.alloc(padding)),
    )
  );
  const info = element(
    "1549A966", // Info
    element("2AD7B1", uint(1e6)), // TimestampScale: milliseconds
    element("4489", double(frames.length * 1000)), // Duration
    element("4D80", Buffer.from("test")), // MuxingApp
    element("5741", Buffer.from("test")), // WritingApp
  );
  const track = element(
    "AE", // TrackEntry
    element("D7", uint(1)), // TrackNumber
    element("73C5", uint(1)), // TrackUID
    element("83", uint(1)), // TrackType: video
    element("86", Buffer.from("V_VP8")), // CodecID
    element("E0", element("B0", uint(WIDTH)), element("BA", uint(HEIGHT))), // Video
  );
  const tracks = element("1654AE6B", track);
  // How long the index is does not depend on what it says.
  const clustersAt = info.length + tracks.length + cues(clusters, 0).length;
  const header = element(
    "1A45DFA3", // EBML
    element("4282", Buffer.from("webm")), // DocType
    element("4287", uint(4)), // DocTypeVersion
    element("4285", uint(2)), // DocTypeReadVersion
  );
  const segment = element("18538067", info, tracks, cues(clusters, clustersAt), ...clusters);
  return Buffer.concat([header, segment]);
}

/** The index: where in the segment, of which they begin at `at`, the clusters are. */
function cues(clusters: readonly Buffer[], at: number): Buffer {
  const points = clusters.map((cluster, second) => {
    const position = element("B7", element("F7", uint(1)), element("F1", uint(at))); // CueTrackPositions
    at += cluster.length;
    return element("BB", element("B3", uint(second * 1000)), position); // CuePoint with CueTime
  });
  return element("1C53BB6B", ...points);
}

/** An element of EBML (RFC 8794): its ID, in hexadecimal, its size in 8 bytes, and its content. */
function element(id: string, ...content: readonly Buffer[]): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(1n << 56n | BigInt(content.reduce((sum, part) => sum + part.length, 0)));
  return Buffer.concat([Buffer.from(id, "hex"), size, ...content]);
}

/** Unsigned, and always as long. */
function uint(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
