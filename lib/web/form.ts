/**
 * Forms with files in them (multipart/form-data, RFC 7578), read bit by bit.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { readBorrowed } from "../borrowed.ts";
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
  const files: Promise<void>[] = [];
  let failure: { error: unknown } | undefined;
  /** What the parser is waited for: that it takes what it was given, or has finished. */
  let turn = deferred<void>();
  const fail = (error: unknown) => {
    failure ??= { error };
    turn.reject(error);
  };
  const waitFor = async (start: () => void) => {
    if (failure !== undefined) throw failure.error;
    turn = deferred<void>();
    start();
    await turn.promise;
  };
  let stopCurrent = () => {};
  parser.on("file", (_field, stream, name = "") => {
    stream.on("error", () => {}); // the parser tells of it, too
    if (name === "") return stream.resume(); // no file was chosen
    stopCurrent = () => stream.destroy(new Error("The form has broken off"));
    const file = onFile(name, stream);
    file.catch(fail);
    files.push(file);
  });
  parser.on("filesLimit", () => fail(new Refusal(400, "There are too many files")));
  parser.on("error", () => fail(new Refusal(400, "The form is not whole")));
  parser.on("finish", () => turn.resolve());
  try {
    for (let bytes; (bytes = await readBorrowed(request)) !== null;) {
      // They are ours until the next call only, and the parser keeps some.
      const chunk = Buffer.from(bytes);
      await waitFor(() => parser.write(chunk, () => turn.resolve()));
    }
    await waitFor(() => parser.end());
    await Promise.all(files);
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
