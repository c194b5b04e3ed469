/**
 * A file that is there when it is whole. Until then what has come is in `FILE.part`, and what is
 * needed to go on from there, in this run or in another one, in `FILE.part.json`.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Checksum, DeviceOutput, type Output } from "./output.ts";
import { FileWriter, writeError } from "./writer.ts";

/** What stands beside a part. */
interface PartRecord {
  readonly url: string;
  readonly validator: string;
}

/**
 * Makes the output for a file: with `resume` what a part has of `url` is gone on with. Rejects with
 * a {@linkcode CliError} if nothing can be written there.
 */
export async function fileOutput(
  file: string,
  url: string,
  resume: boolean,
  checksum: Checksum,
): Promise<Output> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory()) throw writeError(file, { code: "EISDIR" });
  if (found !== undefined && !found.isFile()) return new DeviceOutput(file, checksum);
  // A link stays one: what it leads to is replaced.
  const path = found === undefined ? file : await realpath(file);
  // access() would tell more, but Deno's needs --allow-sys, and nobody can catch how it says so.
  const folder = await stat(dirname(path)).catch((error) => {
    throw writeError(file, error);
  });
  if (!folder.isDirectory()) throw writeError(file, { code: "ENOTDIR" });
  return await PartFile.open(path, url, resume, checksum);
}

/** See the module. */
class PartFile implements Output {
  size = 0;
  validator: string | undefined;
  readonly restartable = true;
  readonly #file: string;
  readonly #part: string;
  readonly #record: string;
  readonly #url: string;
  readonly #checksum: Checksum;
  #writer: FileWriter | undefined;

  private constructor(file: string, url: string, checksum: Checksum) {
    this.#file = file;
    this.#part = `${file}.part`;
    this.#record = `${file}.part.json`;
    this.#url = url;
    this.#checksum = checksum;
  }

  static async open(
    file: string,
    url: string,
    resume: boolean,
    checksum: Checksum,
  ): Promise<PartFile> {
    const part = new PartFile(file, url, checksum);
    if (resume) await part.#recall();
    return part;
  }

  /** Finds what an earlier run has left. */
  async #recall(): Promise<void> {
    try {
      const { size } = await stat(this.#part);
      const record: Partial<PartRecord> = JSON.parse(await readFile(this.#record, "utf8"));
      if (record.url !== this.#url || typeof record.validator !== "string") return;
      this.size = size;
      this.validator = record.validator;
    } catch {
      // There is nothing, or nothing that is known to be of this URL.
    }
  }

  get fate(): string {
    if (this.size === 0) return "";
    const kept = `The ${this.size} bytes received are kept in ${this.#part}`;
    return this.validator === undefined ? `${kept}.` : `${kept}; -C goes on from there.`;
  }

  async begin(offset: number, validator: string | undefined): Promise<void> {
    await this.#closeWriter();
    try {
      const handle = await open(this.#part, offset === 0 ? "w" : "a");
      this.#writer = new FileWriter(handle, this.#part, true);
      this.size = offset;
      this.validator = validator;
      if (validator === undefined) await rm(this.#record, { force: true });
      else {
        const record: PartRecord = { url: this.#url, validator };
        await writeFile(this.#record, `${JSON.stringify(record)}\n`);
      }
      if (this.#checksum.wanted && this.#checksum.size !== offset) await this.#sum(offset);
    } catch (error) {
      throw writeError(this.#part, error);
    }
  }

  /** Sums up what the part has already. */
  async #sum(size: number): Promise<void> {
    this.#checksum.reset();
    if (size === 0) return;
    const source = createReadStream(this.#part, { end: size - 1, highWaterMark: 256 * 1024 });
    for await (const bytes of source) this.#checksum.update(bytes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#checksum.wanted) this.#checksum.update(bytes);
    await this.#writer!.write(bytes);
    this.size += bytes.length;
  }

  async finish(): Promise<void> {
    // A part may be whole before anything is written to it in this run.
    if (this.#checksum.wanted && this.#checksum.size !== this.size) await this.#sum(this.size);
    await this.#closeWriter();
    this.#checksum.check(this.#part);
    try {
      await rename(this.#part, this.#file);
      await rm(this.#record, { force: true });
    } catch (error) {
      throw writeError(this.#file, error);
    }
  }

  async close(): Promise<void> {
    if (this.#writer === undefined) return;
    try {
      await this.#closeWriter();
    } finally {
      if (this.size === 0) {
        await rm(this.#part, { force: true });
        await rm(this.#record, { force: true });
      }
    }
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    try {
      await writer.close();
    } finally {
      // A write that failed may have written a part all the same.
      this.size = (await stat(this.#part).catch(() => undefined))?.size ?? 0;
    }
  }
}
