/**
 * A file that is there when it is whole. Until then what has come is in `FILE.part`, and what is
 * needed to go on from there, in this run or in another one, in `FILE.part.json`. Where all is sent
 * anew, what is in `FILE.part` stays as long as it agrees with that, and is kept as `FILE.part.1`
 * where it does not.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { counted } from "../../counted.ts";
import { Leftover } from "./leftover.ts";
import { type Checksum, DeviceOutput, type Output } from "./output.ts";
import { FileWriter, writeError } from "./writer.ts";

/** What stands beside a part. */
interface PartRecord {
  readonly url: string;
  readonly validator: string;
}

/** What {@linkcode fileOutput} takes. */
export interface FileSettings {
  readonly file: string;
  /** What is got; without what is secret in it. */
  readonly url: string;
  /** Whether what a part has of `url` can be gone on with. */
  readonly resume: boolean;
  readonly checksum: Checksum;
  readonly note: (message: string) => void;
}

/** Makes the output for a file. Rejects with a {@linkcode CliError} if nothing can be written there. */
export async function fileOutput(settings: FileSettings): Promise<Output> {
  const { file, checksum } = settings;
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
  const part = new PartFile({ ...settings, file: path });
  await part.recall();
  return part;
}

/** See the module. */
class PartFile implements Output {
  size = 0;
  validator: string | undefined;
  readonly restartable = true;
  readonly #part: string;
  readonly #record: string;
  readonly #settings: FileSettings;
  #writer: FileWriter | undefined;
  /** Whether the record tells how to go on with what there is. */
  #recorded = false;
  /** What there is, while what comes is compared with it. */
  #leftover: Leftover | undefined;
  /** What stands for what comes. */
  #next: string | undefined;

  constructor(settings: FileSettings) {
    this.#part = `${settings.file}.part`;
    this.#record = `${this.#part}.json`;
    this.#settings = settings;
  }

  /** Finds what an earlier run has left. */
  async recall(): Promise<void> {
    const { url, resume } = this.#settings;
    try {
      const found = await stat(this.#part);
      if (!found.isFile()) return;
      this.size = found.size;
      const record: Partial<PartRecord> = JSON.parse(await readFile(this.#record, "utf8"));
      if (record.url !== url || typeof record.validator !== "string") return;
      this.#recorded = true;
      if (resume) this.validator = record.validator;
    } catch {
      // There is nothing, or nothing that is known to be of this URL.
    }
  }

  get at(): number {
    return this.#leftover?.agreed ?? this.size;
  }

  get fate(): string {
    if (this.size === 0) return "";
    const kept = `What came, ${counted(this.size, "byte")}, is kept in ${this.#part}`;
    return this.#recorded
      ? `${kept}; -C goes on from there.`
      : `${kept}; -C cannot go on from there, and gets all of it anew.`;
  }

  async begin(offset: number, validator: string | undefined): Promise<void> {
    await this.#closeFiles();
    const { checksum } = this.#settings;
    try {
      this.#next = validator;
      if (offset < this.size) this.#leftover = await Leftover.open(this.#part, this.size);
      else await this.#append();
      if (checksum.wanted && checksum.size !== offset) await this.#sum(offset);
    } catch (error) {
      throw writeError(this.#part, error);
    }
  }

  /** What comes is written behind what there is, and all of that is of one state. */
  async #append(): Promise<void> {
    this.#writer = new FileWriter(await open(this.#part, "a"), this.#part, true);
    const validator = this.validator = this.#next;
    this.#recorded = validator !== undefined;
    if (validator === undefined) await rm(this.#record, { force: true });
    else {
      const record: PartRecord = { url: this.#settings.url, validator };
      await writeFile(this.#record, `${JSON.stringify(record)}\n`);
    }
  }

  /** Sums up what the part has already. */
  async #sum(size: number): Promise<void> {
    const { checksum } = this.#settings;
    checksum.reset();
    if (size === 0) return;
    const source = createReadStream(this.#part, { end: size - 1, highWaterMark: 256 * 1024 });
    for await (const bytes of source) checksum.update(bytes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { checksum } = this.#settings;
    if (checksum.wanted) checksum.update(bytes);
    const rest = this.#leftover === undefined ? bytes : await this.#compare(this.#leftover, bytes);
    if (rest.length === 0) return;
    await this.#writer!.write(rest);
    this.size += rest.length;
  }

  /** Returns the bytes that are not there yet. */
  async #compare(leftover: Leftover, bytes: Uint8Array): Promise<Uint8Array> {
    try {
      const same = leftover.compare(bytes);
      if (same < bytes.length && !leftover.done) await this.#setAside(leftover);
      if (same < bytes.length || leftover.done) {
        await this.#closeFiles();
        await this.#append();
      }
      return bytes.subarray(same);
    } catch (error) {
      throw writeError(this.#part, error);
    }
  }

  /** What there is does not agree with what comes. */
  async #setAside(leftover: Leftover): Promise<void> {
    const all = counted(this.size, "byte");
    const aside = await leftover.setAside();
    this.#settings.note(
      `What is in ${this.#part} is not what the server sends now: that, ${all}, is kept in ${aside}.`,
    );
  }

  async finish(): Promise<void> {
    const { file, checksum } = this.#settings;
    try {
      // The server has no more than the beginning of what there is.
      if (this.#leftover !== undefined) await this.#setAside(this.#leftover);
      await this.#closeFiles();
      // A part may be whole before anything is written to it in this run.
      if (checksum.wanted && checksum.size !== this.size) await this.#sum(this.size);
    } catch (error) {
      throw writeError(this.#part, error);
    }
    checksum.check(this.#part);
    try {
      await rename(this.#part, file);
      await rm(this.#record, { force: true });
    } catch (error) {
      throw writeError(file, error);
    }
  }

  async close(): Promise<void> {
    if (this.#writer === undefined && this.#leftover === undefined) return;
    try {
      await this.#closeFiles();
    } finally {
      if (this.size === 0) {
        await rm(this.#part, { force: true });
        await rm(this.#record, { force: true });
      }
    }
  }

  async #closeFiles(): Promise<void> {
    const [leftover, writer] = [this.#leftover, this.#writer];
    this.#leftover = this.#writer = undefined;
    await leftover?.close();
    if (leftover === undefined && writer === undefined) return;
    try {
      await writer?.close();
    } finally {
      // A write that failed may have written a part all the same.
      this.size = (await stat(this.#part).catch(() => undefined))?.size ?? 0;
    }
  }
}
