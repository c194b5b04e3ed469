/**
 * Getting a reply's content into an output, in as many attempts as are allowed.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import { counted } from "../../../base/plural.ts";
import type { ClientReply } from "../../../http/client/client.ts";
import { RequestError } from "../../../http/client/errors.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import type { Output } from "./output.ts";
import type { Progress } from "./progress.ts";
import { continues, lengthOf416, validatorOf } from "./resume.ts";
import { failureOf, isPassing, retryAfter, sleep, TryLater, waitBefore } from "./retry.ts";

/** What {@linkcode Download} takes. */
export interface DownloadSettings {
  /** Sends the request, with these header fields besides its own, for what comes from `offset` on. */
  readonly request: (headers: readonly string[], offset: number) => Promise<ClientReply>;
  /** What of a reply goes into the output. */
  readonly contentOf: (reply: ClientReply) => AsyncIterable<Uint8Array>;
  readonly output: Output;
  /** What the content of a reply that is no success goes to. */
  readonly errorOutput: Output;
  /** Whether an attempt can go on where the last one broke off. */
  readonly resumable: boolean;
  /** Whether 206 is what was asked for. */
  readonly ranged: boolean;
  readonly retries: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly note: (message: string) => void;
  readonly progress: Progress | undefined;
}

/** How a download ended. */
export interface Outcome {
  /** The last reply; its content has been read. */
  readonly reply: ClientReply;
  /** The output is whole. If not, the reply is no success, and its content is in the other output. */
  readonly whole: boolean;
}

/** See the module. */
export class Download {
  readonly #settings: DownloadSettings;

  constructor(settings: DownloadSettings) {
    this.#settings = settings;
  }

  /**
   * Resolves once all of the last reply is where it belongs. Rejects as requests do, and with
   * a {@linkcode CliError} for what cannot be written or does not fit what is there.
   */
  async run(): Promise<Outcome> {
    const { retries, signal, clock, note, output } = this.#settings;
    for (let retry = 1;; retry++) {
      try {
        return await this.#attempt(retry > retries);
      } catch (error) {
        await output.close();
        const wait = retry > retries ? undefined : waitBefore(retry, error);
        if (wait === undefined || !(output.restartable || this.#validator !== undefined)) {
          throw error;
        }
        const failure = failureOf(error as Error);
        note(`${failure} Trying again in ${wait / 1000} s (${retry} of ${retries}).`);
        await sleep(wait, clock, signal);
      }
    }
  }

  /** What there is can be gone on with if this is defined. */
  get #validator(): string | undefined {
    const { output, resumable } = this.#settings;
    return resumable && output.size > 0 ? output.validator : undefined;
  }

  async #attempt(last: boolean): Promise<Outcome> {
    const { request, output } = this.#settings;
    const validator = this.#validator;
    const offset = validator === undefined ? 0 : output.size;
    const headers = validator === undefined
      ? []
      : ["Range", `bytes=${offset}-`, "If-Range", validator];
    const reply = await request(headers, offset);
    try {
      if (validator !== undefined) return await this.#goOn(reply, offset, validator, last);
      return await this.#take(reply, last);
    } finally {
      reply.close();
    }
  }

  /** Takes the answer to the question for the rest. */
  async #goOn(
    reply: ClientReply,
    offset: number,
    validator: string,
    last: boolean,
  ): Promise<Outcome> {
    const { request, output } = this.#settings;
    if (reply.status === 206) {
      const range = continues(reply, offset, validator);
      if (range !== undefined) {
        await output.begin(offset, validator);
        await this.#transfer(reply, range.to);
        if (range.total !== undefined && range.total > output.size) {
          const why = `the server sent only ${output.size} of ${counted(range.total, "byte")}`;
          throw new RequestError("PARTIAL", reply.url, why);
        }
        return await this.#finish(reply);
      }
    } else if (reply.status !== 416) return await this.#take(reply, last);
    else if (lengthOf416(reply) === offset) return await this.#finish(reply);
    // What there is and what the server has do not go together.
    reply.close();
    if (!output.restartable) throw changed(reply);
    const whole = await request([], 0);
    try {
      return await this.#take(whole, last);
    } finally {
      whole.close();
    }
  }

  /** Takes a reply from the beginning. */
  async #take(reply: ClientReply, last: boolean): Promise<Outcome> {
    const { output, errorOutput, resumable, ranged } = this.#settings;
    const { status, reason, url } = reply;
    if (isPassing(status) && !last) {
      const message = `The server answered ${`${status} ${reason}`.trimEnd()} for ${url}.`;
      throw new TryLater(message, retryAfter(reply));
    }
    if (status < 200 || status >= 300) {
      await errorOutput.begin(0, undefined);
      await this.#pour(reply, errorOutput);
      return { reply, whole: false };
    }
    if (status === 206 && !ranged) {
      const message = `Cannot get ${url}: the server sends a part of it, unasked.`;
      throw new CliError(EXIT.receiveFailed, message);
    }
    if (!output.restartable) throw changed(reply);
    await output.begin(0, resumable ? validatorOf(reply) : undefined);
    await this.#transfer(reply, reply.length);
    return await this.#finish(reply);
  }

  async #finish(reply: ClientReply): Promise<Outcome> {
    await this.#settings.output.finish();
    return { reply, whole: true };
  }

  async #transfer(reply: ClientReply, total: number | undefined): Promise<void> {
    const { output, progress } = this.#settings;
    progress?.start(total);
    try {
      await this.#pour(reply, output);
      progress?.end();
    } finally {
      progress?.hide();
    }
  }

  async #pour(reply: ClientReply, output: Output): Promise<void> {
    for await (const bytes of this.#settings.contentOf(reply)) await output.write(bytes);
  }
}

function changed(reply: ClientReply): CliError {
  const message =
    `Cannot go on with ${reply.url}: it has changed since the first part of it was printed.`;
  return new CliError(EXIT.closedEarly, message);
}
