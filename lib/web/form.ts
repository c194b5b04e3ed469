/**
 * Forms with files in them (multipart/form-data, RFC 7578), read bit by bit.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { deferred } from "../deferred.ts";
import type { LightRequest } from "../http/light.ts";
import { Refusal } from "./refusal.ts";

/** More is no form that a person has filled in. */
const LIMITS = { files: 1000, fields: 100, fieldSize: 1024, headerPairs: 32, headerSize: 8192 };

/**
 * Reads the form that a request brings, and gives each of its files to `onFile`: the name, without
 * the folders that may stand before it, and the content as it comes. Other fields are passed over.
 *
 * Rejects with what `onFile` or reading rejects with; with a {@linkcode Refusal} 415 if it is no
 * form, and 400 if it is not whole.
 */
export async function readForm(
  request: LightRequest,
  onFile: (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const parser = parserOf(request.header("content-type") ?? "");
  const failed = deferred<never>();
  failed.promise.catch(() => {});
  const finished = deferred<void>();
  const files: Promise<void>[] = [];
  let stopCurrent = () => {};
  parser.on("file", (_field, stream, name = "") => {
    stream.on("error", () => {}); // the parser tells of it, too
    if (name === "") return stream.resume(); // no file was chosen
    stopCurrent = () => stream.destroy(new Error("The form has broken off"));
    const file = onFile(name, stream);
    file.catch(failed.reject);
    files.push(file);
  });
  parser.on("filesLimit", () => failed.reject(new Refusal(400, "There are too many files")));
  parser.on("error", () => failed.reject(new Refusal(400, "The form is not whole")));
  parser.on("finish", () => finished.resolve());
  const received = (async () => {
    for (let bytes; (bytes = await request.read()) !== null;) {
      const taken = deferred<void>();
      // The bytes are ours until the next call only, and the parser keeps some.
      parser.write(Buffer.from(bytes), () => taken.resolve());
      await Promise.race([taken.promise, failed.promise]);
    }
    parser.end();
    await Promise.race([finished.promise, failed.promise]);
    await Promise.all(files);
  })();
  try {
    await received;
  } finally {
    stopCurrent();
    await Promise.allSettled(files);
  }
}

function parserOf(contentType: string): BusboyInstance {
  const boundary = /^multipart\/form-data *;/i.test(contentType);
  try {
    if (boundary) return new Busboy({ headers: { "content-type": contentType }, limits: LIMITS });
  } catch {
    // It has no boundary.
  }
  throw new Refusal(415, "Files are uploaded with PUT, or as multipart/form-data with POST");
}
