/**
 * stdout and stderr of a server on Deno, written by other threads: `process.stderr` there waits for
 * the reader of the other end, and all connections with it. Its twin for Node is `outputs.node.ts`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Writable } from "node:stream";
import { sleep, systemClock } from "../../base/clock.ts";
import { ATOMIC, type ProgramOutput } from "./program_output.ts";

/** When to try again what does not block and has no room now, in milliseconds. */
const AGAIN_MS = 20;

type Stdio = Pick<typeof Deno.stdout, "write" | "isTerminal">;

class Aside extends Writable {
  readonly isTTY: boolean;
  readonly #stdio: Stdio;

  constructor(stdio: Stdio) {
    super();
    this.#stdio = stdio;
    this.isTTY = stdio.isTerminal();
  }

  /** The width of the terminal. */
  get columns(): number | undefined {
    return this.isTTY ? Deno.consoleSize().columns : undefined;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    void this.#writeAll(chunk).then(done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    void this.#writeGathered(chunks.map(({ chunk }) => chunk)).then(done);
  }

  /** Writes several at once, but no more than stay together where other processes write, too. */
  async #writeGathered(chunks: readonly Buffer[]): Promise<void> {
    for (let from = 0, to = 0; from < chunks.length; from = to) {
      let size = 0;
      do size += chunks[to++].length; while (
        to < chunks.length && size + chunks[to].length <= ATOMIC
      );
      await this.#writeAll(to - from === 1 ? chunks[from] : Buffer.concat(chunks.slice(from, to)));
    }
  }

  /** Writes all that waits. After an error the rest is still tried, as with `process.stderr`. */
  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      try {
        at += await this.#stdio.write(bytes.subarray(at));
      } catch (error) {
        if ((error as { code?: string }).code !== "EAGAIN") return void this.emit("error", error);
        await sleep(AGAIN_MS, systemClock);
      }
    }
  }
}

/** stdout and stderr, which never hold up who writes to them. */
export function serverOutputs(): {
  readonly stdout: ProgramOutput;
  readonly stderr: ProgramOutput;
} {
  return { stdout: new Aside(Deno.stdout), stderr: new Aside(Deno.stderr) };
}
