/**
 * Forms with files in them (multipart/form-data, RFC 7578), read bit by bit.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { borrowedFrom } from "../base/borrowed.ts";
import { deferred } from "../base/wait.ts";
import type { LightRequest } from "../http/server/light.ts";
import { Refusal } from "./refusal.ts";

/** More is not a form that a person has filled in. The parts are the files and all other fields. */
const LIMITS = { parts: 1100, files: 1000, fieldSize: 1024, headerPairs: 32, headerSize: 8192 };

/** A name and content of a file, as they come. Content that is not read is passed over. */
type OnFile = (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Reads the form that a request brings, and gives each of its files to `onFile`, one after the other:
 * the name as it was sent, with folders before it if there are any, and the content. Other fields are
 * passed over, and so are file fields with an empty name: no file was chosen.
 *
 * Rejects with what `onFile` or reading rejects with; with a {@linkcode Refusal} 415 if it is no
 * form, and 400 if it is not whole or has more than 1,000 files or 1,100 parts.
 */
export async function readForm(request: LightRequest, onFile: OnFile): Promise<void> {
  const parser = parserOf(request.header("content-type") ?? "");
  let failure: { error: unknown } | undefined;
  /** Resolves when the parser has taken its input, or has finished. */
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
  /** Settles when the files so far are done with; the parser has all of them but the last. */
  let files = Promise.resolve();
  let allButLast = files;
  let stopLast = () => {};
  parser.on("file", (_field, stream, name = "") => {
    stream.on("error", () => {}); // the parser reports it, too
    if (name === "") return stream.resume(); // no file was chosen
    stopLast = () => stream.destroy(new Error("The form has broken off"));
    allButLast = files;
    files = files.then(async () => {
      if (failure !== undefined) return;
      const chunks = stream[Symbol.asyncIterator]();
      // Without return(): a stream that is left early would stop the parser.
      await onFile(decodeName(name), {
        [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }),
      });
      while (!(await chunks.next()).done);
    });
    files.catch(fail);
  });
  parser.on("filesLimit", () => fail(new Refusal(400, "There are too many files in the form")));
  parser.on("partsLimit", () => fail(new Refusal(400, "There are too many fields in the form")));
  parser.on("error", () => fail(new Refusal(400, "The form is not whole")));
  parser.on("finish", () => turn.resolve());
  try {
    for await (const bytes of borrowedFrom(request.body)) {
      // They are ours until the next step only, and the parser keeps some.
      const chunk = Buffer.from(bytes);
      await waitFor(() => parser.write(chunk, () => turn.resolve()));
      // Small files do not hold the parser up, however many there are.
      await allButLast;
    }
    await waitFor(() => parser.end());
    await files;
  } finally {
    stopLast();
    await files.catch(() => {});
  }
}

function parserOf(contentType: string): BusboyInstance {
  const boundary = /^multipart\/form-data *;/i.test(contentType);
  try {
    const headers = { "content-type": contentType };
    if (boundary) return new Busboy({ headers, limits: LIMITS, preservePath: true });
  } catch {
    // It has no boundary.
  }
  throw new Refusal(415, "Files are uploaded with PUT, or as multipart/form-data with POST");
}

const ESCAPES: Readonly<Record<string, string>> = { "%22": '"', "%0D": "\r", "%0A": "\n" };

/** The name of a file as it is where it comes from: these three characters are all that HTML escapes. */
function decodeName(name: string): string {
  return name.replace(/%(?:22|0D|0A)/g, (escape) => ESCAPES[escape]);
}
