/**
 * An echo server for frames that begin with their length: `echo.mjs MODULE`, where MODULE is the URL
 * of plainsocket's `mod.ts`, or of `mod.js` for Node.
 *
 * @module
 */

import process from "node:process";

const { FrameReader, FrameWriter, lengthPrefix, serve, systemTransport } = await import(
  process.argv[2]
);

const framing = lengthPrefix("u32");

async function echoFrames(conn) {
  const reader = new FrameReader(conn, framing);
  const writer = new FrameWriter(conn, framing);
  for (let frame; (frame = await reader.readBorrowed()) !== null;) {
    do {
      if (!writer.tryWrite(frame)) await writer.write(frame);
    } while ((frame = reader.tryReadBorrowed()) !== null);
    await writer.flush();
  }
}

const listener = await systemTransport.listen({ host: "127.0.0.1" });
console.log(listener.addr.port);
await serve(listener, echoFrames, { maxConnections: 20_000 }).finished;
