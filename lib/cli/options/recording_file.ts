/**
 * The file that a recording goes to. It may be a pipe, which nobody reads or somebody reads slowly: that
 * holds up nothing.
 *
 * @module
 */

import { closeSync, constants, fchmodSync, fstatSync, openSync, writeSync } from "node:fs";
import { type Clock, sleep } from "../../base/clock.ts";

/** The most bytes that wait for the reader of a pipe. */
export const MAX_WAITING: number = 16 * 1024 * 1024;

/** How often a full pipe is tried, and for how long at the end, in milliseconds. */
const [RETRY, LAST_RETRIES] = [20, 1000];

/** Every pipe takes so many bytes as a whole or not at all (POSIX). */
const PIPE_PIECE = 512;

/** See the module. */
export class RecordingFile {
  readonly #fd: number;
  readonly #waits: boolean;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  /** What the pipe has not taken, and how many bytes of the first piece it has. */
  readonly #waiting: Uint8Array[] = [];
  #taken = 0;
  #size = 0;
  #cancel: (() => void) | undefined;

  /** `onError` hears of a write that failed later. Throws what openSync() throws. */
  constructor(path: string, clock: Clock, onError: (error: unknown) => void) {
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NONBLOCK } = constants;
    // The flag is for pipes. One that nobody reads is an error then, and not a wait without end.
    this.#fd = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0o600);
    this.#waits = !keepForOwner(this.#fd);
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Whether the reader of a pipe is so slow that nothing more is to be written. */
  get isFull(): boolean {
    return this.#size > MAX_WAITING;
  }

  /** Writes bytes, which the caller may use again. Throws for a write that failed. */
  write(bytes: Uint8Array): void {
    if (!this.#waits) return putBytes(this.#fd, bytes);
    this.#waiting.push(bytes.slice());
    this.#size += bytes.length;
    // While it is full, the timer tries again.
    if (this.#cancel === undefined) this.#flush();
  }

  /** Gives the reader of a pipe a second. Returns how many pieces it has not taken. */
  async finish(): Promise<number> {
    for (let left = LAST_RETRIES; this.#waiting.length > 0 && left > 0; left -= RETRY) {
      await sleep(RETRY, this.#clock);
    }
    return this.#waiting.length;
  }

  /** Closes it. */
  close(): void {
    this.#cancel?.();
    this.#waiting.length = 0;
    closeSync(this.#fd);
  }

  #flush(): void {
    this.#cancel = undefined;
    let done = 0;
    try {
      for (; done < this.#waiting.length; done++) {
        const piece = this.#waiting[done];
        while (this.#taken < piece.length) {
          const length = Math.min(PIPE_PIECE, piece.length - this.#taken);
          this.#taken += writeSync(this.#fd, piece, this.#taken, length);
        }
        this.#size -= piece.length;
        this.#taken = 0;
      }
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
      this.#cancel = this.#clock.setTimer(RETRY, () => this.#retry());
    } finally {
      this.#waiting.splice(0, done);
    }
  }

  #retry(): void {
    try {
      this.#flush();
    } catch (error) {
      this.#waiting.length = 0;
      this.#onError(error);
    }
  }
}

/** Lets only its owner read a file: it may have passwords in it. Returns false for a device or a pipe. */
function keepForOwner(fd: number): boolean {
  if (!fstatSync(fd).isFile()) return false;
  try {
    // One that was there already may have another mode.
    fchmodSync(fd, 0o600);
  } catch {
    // It is somebody else's, who decides.
  }
  return true;
}

function putBytes(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}
