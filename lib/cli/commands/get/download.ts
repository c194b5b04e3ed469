/**
 * Getting a response's content into an output, in as many attempts as are allowed.
 *
 * @module
 */

import { type Clock, sleep } from "../../../base/clock.ts";
import { counted } from "../../../base/counted.ts";
import type { ClientResponse } from "../../../http/client/response.ts";
import { RequestError } from "../../../http/client/errors.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import type { Output } from "./output.ts";
import type { Progress } from "./progress.ts";
import { continues, lengthOf416, validatorOf } from "./resume.ts";
import { failureOf, isPassing, retryAfter, retryBackoff, TryLater, waitAfter } from "./retry.ts";

/** Options of {@linkcode Download}. */
export interface DownloadSettings {
  /** Sends the request, with these header fields besides its own, for what comes from `offset` on. */
  readonly request: (headers: readonly string[], offset: number) => Promise<ClientResponse>;
  /** Returns the part of a response that goes into the output. */
  readonly contentOf: (response: ClientResponse) => AsyncIterable<Uint8Array>;
  readonly output: Output;
  /** The output for the content of a response whose status is not 2xx. */
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

/** The result of a download. */
export interface Outcome {
  /** The last response; its content has been read. */
  readonly response: ClientResponse;
  /** Whether the output is whole. If not, the status is not 2xx, and the content is in the other output. */
  readonly whole: boolean;
}

/** See the module. */
export class Download {
  readonly #settings: DownloadSettings;

  constructor(settings: DownloadSettings) {
    this.#settings = settings;
  }

  /**
   * Resolves once all of the last response is where it belongs. Rejects as requests do, and with
   * a {@linkcode CliError} for what cannot be written or does not fit what is there.
   */
  async run(): Promise<Outcome> {
    const { retries, signal, clock, note, output } = this.#settings;
    const backoff = retryBackoff();
    for (let retry = 1;; retry++) {
      try {
        return await this.#attempt(retry > retries);
      } catch (error) {
        await output.close();
        const wait = retry > retries ? undefined : waitAfter(error, backoff);
        if (wait === undefined || !(output.restartable || this.#validator !== undefined)) {
          throw error;
        }
        const failure = failureOf(error as Error);
        note(`${failure} Trying again in ${wait / 1000} s (${retry} of ${retries}).`);
        await sleep(wait, clock, signal);
        signal.throwIfAborted();
      }
    }
  }

  /** The validator of the part that is there. Without it the download cannot be resumed. */
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
    const response = await request(headers, offset);
    try {
      if (validator !== undefined) return await this.#goOn(response, offset, validator, last);
      return await this.#take(response, last);
    } finally {
      response.close();
    }
  }

  /** Takes the response to the request for the rest. */
  async #goOn(
    response: ClientResponse,
    offset: number,
    validator: string,
    last: boolean,
  ): Promise<Outcome> {
    const { request, output } = this.#settings;
    if (response.status === 206) {
      const range = continues(response, offset, validator);
      if (range !== undefined) {
        await output.begin(offset, validator);
        await this.#transfer(response, range.to);
        if (range.total !== undefined && range.total > output.size) {
          const why = `the server sent only ${output.size} of ${counted(range.total, "byte")}`;
          throw new RequestError("PARTIAL", response.url, why);
        }
        return await this.#finish(response);
      }
    } else if (response.status !== 416) return await this.#take(response, last);
    else if (lengthOf416(response) === offset) return await this.#finish(response);
    // The part that is there and the file of the server do not match.
    response.close();
    if (!output.restartable) throw changed(response);
    const whole = await request([], 0);
    try {
      return await this.#take(whole, last);
    } finally {
      whole.close();
    }
  }

  /** Takes a response from the beginning. */
  async #take(response: ClientResponse, last: boolean): Promise<Outcome> {
    const { output, errorOutput, resumable, ranged } = this.#settings;
    const { status, reason, url } = response;
    if (isPassing(status) && !last) {
      const message = `The server answered ${`${status} ${reason}`.trimEnd()} for ${url}.`;
      throw new TryLater(message, retryAfter(response));
    }
    if (status < 200 || status >= 300) {
      await errorOutput.begin(0, undefined);
      await this.#pour(response, errorOutput);
      return { response, whole: false };
    }
    if (status === 206 && !ranged) {
      const message = `Cannot get ${url}: the server sends a part of it, unasked.`;
      throw new CliError(EXIT.receiveFailed, message);
    }
    if (!output.restartable) throw changed(response);
    await output.begin(0, resumable ? validatorOf(response) : undefined);
    await this.#transfer(response, response.length);
    return await this.#finish(response);
  }

  async #finish(response: ClientResponse): Promise<Outcome> {
    await this.#settings.output.finish();
    return { response, whole: true };
  }

  async #transfer(response: ClientResponse, total: number | undefined): Promise<void> {
    const { output, progress } = this.#settings;
    progress?.start(total);
    try {
      await this.#pour(response, output);
      progress?.end();
    } finally {
      progress?.hide();
    }
  }

  async #pour(response: ClientResponse, output: Output): Promise<void> {
    for await (const bytes of this.#settings.contentOf(response)) await output.write(bytes);
  }
}

function changed(response: ClientResponse): CliError {
  const message =
    `Cannot go on with ${response.url}: it has changed since the first part of it was printed.`;
  return new CliError(EXIT.closedEarly, message);
}
