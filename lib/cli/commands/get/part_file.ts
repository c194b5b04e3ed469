/**
 * A file that is there when it is whole. Until then what has come is in `FILE.part`, and what is
 * needed to go on from there, in this run or in another one, in `FILE.part.json`. Where all is sent
 * anew, what is in `FILE.part` stays as long as it agrees with that, and is kept as `FILE.part.1`
 * where it does not.
 *
 * @module
 */

import { type FileHandle, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { counted } from "../../../base/counted.ts";
import { Leftover, read } from "./leftover.ts";
import { type Checksum, DeviceOutput, type Output } from "./output.ts";
import { createOwn, missing, openOwn, partOf, refuseForeignLink } from "./own_file.ts";
import { readRecord, writeRecord } from "./part_record.ts";
import { writeError } from "../../io/files.ts";
import { FileWriter } from "./file_writer.ts";

/** Options of {@linkcode fileOutput}. */
export interface FileSettings {
  readonly file: string;
  /** The URL of the content, without secrets. */
  readonly url: string;
  /** Whether what a part has of `url` can be gone on with. */
  readonly resume: boolean;
  readonly checksum: Checksum;
  readonly note: (message: string) => void;
}

/** Makes the output for a file. Rejects with a {@linkcode CliError} if nothing can be written there. */
export async function fileOutput(settings: FileSettings): Promise<Output> {
  const { file, checksum } = settings;
  try {
    await refuseForeignLink(file);
    const found = await stat(file).catch(missing);
    if (found?.isDirectory()) throw writeError(file, { code: "EISDIR" });
    if (found !== undefined && !found.isFile()) return new DeviceOutput(file, checksum);
    // A link stays one: what it leads to is replaced.
    const path = found === undefined ? file : await realpath(file);
    // access() would tell more, but Deno's needs --allow-sys, and nobody can catch how it says so.
    if (!(await stat(dirname(path))).isDirectory()) throw writeError(file, { code: "ENOTDIR" });
    // Users who could not read the old file must not read the new one.
    const mode = found && (found.mode & 0o777 | 0o600);
    const part = new PartFile({ ...settings, file: path }, mode);
    await part.recall();
    return part;
  } catch (error) {
    throw writeError(file, error);
  }
}

/** See the module. */
class PartFile implements Output {
  size = 0;
  validator: string | undefined;
  readonly restartable = true;
  readonly #part: string;
  readonly #record: string;
  readonly #settings: FileSettings;
  readonly #mode: number | undefined;
  /** The part, while it is open. */
  #handle: FileHandle | undefined;
  #writer: FileWriter | undefined;
  /** Whether the record is enough to resume the part that is there. */
  #recorded = false;
  /** The part that is there, while it is compared with what comes. */
  #leftover: Leftover | undefined;
  /** The validator of what comes. */
  #next: string | undefined;

  /** `mode` is that of new files, as far as the umask lets it; by default the system's. */
  constructor(settings: FileSettings, mode: number | undefined) {
    this.#part = partOf(settings.file);
    this.#record = `${this.#part}.json`;
    this.#settings = settings;
    this.#mode = mode;
  }

  /** Finds what an earlier run has left. Rejects with a {@linkcode CliError} if it is no such thing. */
  async recall(): Promise<void> {
    const { url, resume } = this.#settings;
    try {
      const handle = await openOwn(this.#part);
      if (handle === undefined) return;
      this.size = (await handle.stat()).size;
      await handle.close();
    } catch (error) {
      throw writeError(this.#part, error);
    }
    const record = await readRecord(this.#record);
    if (record?.url !== url) return;
    this.#recorded = true;
    if (resume) this.validator = record.validator;
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
      const handle = await this.#open();
      if (offset < this.size) this.#leftover = new Leftover(this.#part, handle, this.size);
      else await this.#append();
      if (checksum.wanted && checksum.size !== offset) await this.#sum(handle, offset);
    } catch (error) {
      throw writeError(this.#part, error);
    }
  }

  /** Opens the part, or makes it. Returns its size. */
  async #open(): Promise<FileHandle> {
    const handle = await openOwn(this.#part) ?? await createOwn(this.#part, this.#mode);
    this.#use(handle);
    const { size } = await handle.stat();
    if (size === this.size) return handle;
    throw new Error(`somebody else has changed it, from ${this.size} to ${counted(size, "byte")}`);
  }

  #use(handle: FileHandle): void {
    this.#handle = handle;
    this.#writer = new FileWriter(handle, this.#part, true);
  }

  /** Appends to the part that is there. Both are of one state. */
  async #append(): Promise<void> {
    const validator = this.validator = this.#next;
    this.#recorded = validator !== undefined;
    const { url } = this.#settings;
    await writeRecord(this.#record, validator === undefined ? undefined : { url, validator });
  }

  /** Sums up what the part has already. */
  async #sum(handle: FileHandle, size: number): Promise<void> {
    const { checksum } = this.#settings;
    checksum.reset();
    for await (const bytes of read(handle, size)) checksum.update(bytes);
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
        this.#leftover = undefined;
        await this.#append();
      }
      return bytes.subarray(same);
    } catch (error) {
      throw writeError(this.#part, error);
    }
  }

  /** Sets the part aside: it does not agree with what comes. */
  async #setAside(leftover: Leftover): Promise<void> {
    const all = counted(this.size, "byte");
    const { aside, handle } = await leftover.setAside(this.#mode);
    await this.#writer!.close();
    this.#use(handle);
    this.#leftover = undefined;
    this.size = leftover.agreed;
    this.#settings.note(
      `What is in ${this.#part} is not what the server sends now: that, ${all}, is kept in ${aside}.`,
    );
  }

  async finish(): Promise<void> {
    const { file, checksum } = this.#settings;
    try {
      if (this.#handle === undefined) await this.#open();
      // The server has no more than the beginning of what there is.
      if (this.#leftover !== undefined) await this.#setAside(this.#leftover);
      // A part may be whole before anything is written to it in this run.
      if (checksum.wanted && checksum.size !== this.size) {
        await this.#sum(this.#handle!, this.size);
      }
      await this.#closeFiles();
    } catch (error) {
      throw writeError(this.#part, error);
    }
    checksum.check(this.#part);
    try {
      await rename(this.#part, file);
      await writeRecord(this.#record, undefined);
    } catch (error) {
      throw writeError(file, error);
    }
  }

  async close(): Promise<void> {
    if (this.#handle === undefined) return;
    try {
      await this.#closeFiles();
      if (this.size > 0) return;
      await rm(this.#part, { force: true });
      await writeRecord(this.#record, undefined);
    } catch (error) {
      throw writeError(this.#part, error);
    }
  }

  async #closeFiles(): Promise<void> {
    const [handle, writer] = [this.#handle, this.#writer];
    this.#leftover = this.#handle = this.#writer = undefined;
    if (handle === undefined) return;
    try {
      // A write that failed may have written a part all the same.
      this.size = (await handle.stat()).size;
    } finally {
      await writer!.close();
    }
  }
}
