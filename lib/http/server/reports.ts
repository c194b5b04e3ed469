/**
 * Reports the requests of one connection to {@linkcode HttpOptions.onResponse} and to
 * {@linkcode HttpOptions.metrics}.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Addr } from "../../base/addr.ts";
import type { HttpError } from "../message/errors.ts";
import type { MeasuredRequest } from "../../net/metrics_sink.ts";
import type { HttpSettings } from "./options.ts";
import type { EngineRequest } from "./request.ts";

/** The input that was not a valid request, by its scheme. */
const INVALID: Readonly<Record<"http" | "https", MeasuredRequest>> = {
  http: { method: "", scheme: "http" },
  https: { method: "", scheme: "https" },
};

/** See the module. */
export class Reports {
  readonly #onResponse: HttpSettings["onResponse"];
  readonly #metrics: HttpSettings["metrics"];
  readonly #clock: Clock;
  readonly #peer: { readonly remoteAddr: Addr };
  readonly #scheme: "http" | "https";
  /** Whether somebody wants to know. */
  readonly #isOn: boolean;
  /** When the last request had come. */
  #started = 0;
  /** The request under way, if there are metrics. */
  #measured: MeasuredRequest | undefined;

  /** The address of `peer` is asked for with each report: on Deno, to make it costs something. */
  constructor(
    { onResponse, metrics, clock }: HttpSettings,
    peer: { readonly remoteAddr: Addr },
    scheme: "http" | "https",
  ) {
    this.#onResponse = onResponse;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#peer = peer;
    this.#scheme = scheme;
    this.#isOn = onResponse !== undefined || metrics !== undefined;
  }

  /** A request has come. */
  begin(request: EngineRequest): void {
    if (!this.#isOn) return;
    this.#started = this.#clock.now();
    this.#measure(request);
  }

  /** Reports a response: to a request, or to bytes that are not one; `error` is why it was refused. */
  end(
    request: EngineRequest | undefined,
    status: number,
    bytes: number,
    complete: boolean,
    error?: HttpError,
  ): void {
    if (!this.#isOn) return;
    const duration = request === undefined ? 0 : this.#clock.now() - this.#started;
    if (request === undefined) this.#measure(INVALID[this.#scheme]);
    this.#endMeasured(duration, status, complete);
    if (this.#onResponse === undefined) return;
    const { remoteAddr } = request ?? this.#peer;
    this.#onResponse({ request, remoteAddr, status, bytes, complete, duration, error });
  }

  /** The connection has ended: a request that is under way gets no response. */
  lost(): void {
    if (this.#measured === undefined) return;
    this.#endMeasured(this.#clock.now() - this.#started, undefined, false);
  }

  #measure(request: MeasuredRequest): void {
    if (this.#metrics === undefined) return;
    this.#measured = request;
    this.#metrics.requestBegan(request);
  }

  #endMeasured(duration: number, status: number | undefined, complete: boolean): void {
    const request = this.#measured;
    if (request === undefined) return;
    this.#measured = undefined;
    this.#metrics!.requestEnded(request, duration, status, complete);
  }
}
