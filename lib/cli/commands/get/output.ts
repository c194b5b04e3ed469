/**
 * Outputs of `get`: stdout, or a file that is not regular.
 *
 * @module
 */

import type { Hash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { nodeCrypto } from "../../../base/builtins.deno.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import type { Session } from "../../session.ts";
import { writeError } from "../../io/files.ts";
import { FileWriter } from "./file_writer.ts";

/** Takes the content of a response, in one attempt or several. */
export interface Output {
  /**
   * The number of bytes of the content that it has, those of earlier attempts and runs included.
   */
  readonly size: number;
  /** The position: less than `size` while bytes come that it has already. */
  readonly at: number;
  /** The value of If-Range that stands for what it has; without it there is no going on from there. */
  readonly validator: string | undefined;
  /** Whether it begins anew when it has to. */
  readonly restartable: boolean;
  /**
   * Prepares to take the content from `offset` on: 0 or `size`. What it has and cannot go on with
   * must not be lost by that.
   */
  begin(offset: number, validator: string | undefined): Promise<void>;
  /** Takes bytes; one call at a time. */
  write(bytes: Uint8Array): Promise<void>;
  /** All has come. Rejects with a {@linkcode CliError}, if it is not what it should be. */
  finish(): Promise<void>;
  /** No more comes; what has come stays. A second call does nothing. */
  close(): Promise<void>;
  /** Says what happened to the bytes received, as the last sentence of an error. */
  readonly fate: string;
}

/** Checks content against the SHA-256 it should have; `expected` is "" if nobody asks. */
export class Checksum {
  readonly #expected: string;
  #hash: Hash | undefined;
  /** The number of bytes that have gone in. */
  size = 0;

  constructor(expected: string) {
    this.#expected = expected.toLowerCase();
    this.reset();
  }

  /** Whether somebody asks. */
  get wanted(): boolean {
    return this.#expected !== "";
  }

  reset(): void {
    this.size = 0;
    this.#hash = this.wanted ? nodeCrypto().createHash("sha256") : undefined;
  }

  update(bytes: Uint8Array): void {
    this.size += bytes.length;
    this.#hash?.update(bytes);
  }

  /** Throws a {@linkcode CliError} if it is another one. */
  check(what: string): void {
    const found = this.#hash?.copy().digest("hex") ?? "";
    if (found === this.#expected) return;
    throw new CliError(
      EXIT.differed,
      `The SHA-256 of ${what} is ${found}, and not ${this.#expected}. It is another file, or damaged.`,
    );
  }
}

/** Output that is gone once it is written: the next attempt can go on with it, but not begin anew. */
abstract class StreamOutput implements Output {
  size = 0;
  validator: string | undefined;
  readonly fate = "";
  readonly #checksum: Checksum;

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }

  protected abstract put(bytes: Uint8Array): Promise<void>;

  get at(): number {
    return this.size;
  }

  get restartable(): boolean {
    return this.size === 0;
  }

  begin(_offset: number, validator: string | undefined): Promise<void> {
    this.validator = validator;
    return Promise.resolve();
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checksum.update(bytes);
    await this.put(bytes);
    this.size += bytes.length;
  }

  finish(): Promise<void> {
    this.#checksum.check("what came");
    return this.close();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** As much of the content is looked at, as curl does, to tell whether it is binary. */
const LOOKED_AT = 2000;

/** stdout. On a terminal it takes no binary content, unless it is `forced` to. */
export class StdoutOutput extends StreamOutput {
  readonly #log: Session["log"];
  readonly #refusing: boolean;

  constructor({ log, io }: Session, checksum: Checksum, forced: boolean) {
    super(checksum);
    this.#log = log;
    this.#refusing = io.stdout.isTTY === true && !forced;
  }

  protected async put(bytes: Uint8Array): Promise<void> {
    if (this.#refusing && this.size < LOOKED_AT && bytes.includes(0)) {
      const next = "Say -o FILE to save it, or -o - to print it all the same.";
      throw new CliError(EXIT.writeFailed, `The content is binary, and stdout a terminal. ${next}`);
    }
    await this.#log.data(bytes);
  }
}

/** A device or a pipe: something with a name that nothing can be renamed onto. */
export class DeviceOutput extends StreamOutput {
  readonly #path: string;
  #writer: FileWriter | undefined;

  constructor(path: string, checksum: Checksum) {
    super(checksum);
    this.#path = path;
  }

  override async begin(offset: number, validator: string | undefined): Promise<void> {
    await super.begin(offset, validator);
    if (this.#writer !== undefined) return;
    try {
      // Neither made nor cut off, if it is something else by now.
      const handle = await open(this.#path, constants.O_WRONLY);
      this.#writer = new FileWriter(handle, this.#path, false);
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }

  protected put(bytes: Uint8Array): Promise<void> {
    return this.#writer!.write(bytes);
  }

  override async close(): Promise<void> {
    await this.#writer?.close();
    this.#writer = undefined;
  }
}
