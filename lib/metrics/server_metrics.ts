/**
 * The metrics of servers, counted in memory.
 *
 * @module
 */

import { ERROR_CODES } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";
import type {
  MeasuredConn,
  MeasuredRequest,
  MetricsSink,
  RejectReason,
} from "../net/metrics_sink.ts";
import { Histogram, LONG_SECONDS, SHORT_SECONDS } from "./histogram.ts";
import { formatSamples, type Sample } from "./samples.ts";

/** The methods that have a label of their own, so that no client can make up further ones. */
const METHODS = [
  ...["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"],
  "_OTHER",
];
const METHOD_INDEX: ReadonlyMap<string, number> = new Map(METHODS.map((name, i) => [name, i]));
const OTHER_METHOD = METHODS.length - 1;

const SCHEMES = ["http", "https"] as const;

/** More than the largest status. */
const STATUSES = 1024;

const REASONS: readonly RejectReason[] = ["access", "proxy_header", "queue_full", "stopping"];

/**
 * Counts what servers do: connections, handshakes of TLS, bytes, and the requests of HTTP. Give it as
 * `metrics` to a listener and its server; {@linkcode ServerMetrics.text} is what Prometheus reads.
 * Several servers may share it. docs/operate.md has a table of the metrics.
 *
 * @example A page for Prometheus, on a port of its own
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { serveHttp } from "@plainsocket/plainsocket/http";
 * import { METRICS_TYPE, ServerMetrics } from "@plainsocket/plainsocket/metrics";
 * import assert from "node:assert/strict";
 *
 * const metrics = new ServerMetrics();
 * const listener = await systemTransport.listen({ host: "127.0.0.1", metrics });
 * await using server = serveHttp(listener, () => new Response("hello"), { metrics });
 * const headers = { "Content-Type": METRICS_TYPE };
 * const own = await systemTransport.listen({ host: "127.0.0.1" });
 * await using page = serveHttp(own, () => new Response(metrics.text(), { headers }));
 *
 * const get = async (port: number) => await (await fetch(`http://127.0.0.1:${port}/`)).text();
 * await get(listener.addr.port);
 * assert.match(await get(own.addr.port), /^http_server_request_duration_seconds_count\{.*\} 1$/m);
 * ```
 */
export class ServerMetrics implements MetricsSink {
  /** The open connections: their bytes are counted when somebody asks. */
  readonly #open = new Set<MeasuredConn>();
  #queued = 0;
  #received = 0;
  #transmitted = 0;
  readonly #rejected = new Map<RejectReason, number>(REASONS.map((reason) => [reason, 0]));
  /** The durations by the type of the error; "" without an error. */
  readonly #connections = new Map<string, Histogram>([["", new Histogram(LONG_SECONDS)]]);
  #activeHandshakes = 0;
  readonly #handshakes = new Map<string, Histogram>();
  /** The counts by method and scheme. Empty before the first request. */
  readonly #activeRequests = new Map<number, number>();
  /** The durations by method, scheme, whether the response was complete, and status. */
  readonly #requests = new Map<number, Histogram>();

  /** See {@linkcode MetricsSink.connectionsQueued}. */
  connectionsQueued(change: number): void {
    this.#queued += change;
  }

  /** See {@linkcode MetricsSink.connectionRejected}. */
  connectionRejected(reason: RejectReason): void {
    this.#rejected.set(reason, this.#rejected.get(reason)! + 1);
  }

  /** See {@linkcode MetricsSink.connectionOpened}. */
  connectionOpened(conn: MeasuredConn): void {
    this.#open.add(conn);
  }

  /** See {@linkcode MetricsSink.connectionClosed}. */
  connectionClosed(conn: MeasuredConn, duration: number, error: unknown): void {
    this.#open.delete(conn);
    this.#received += conn.bytesRead;
    this.#transmitted += conn.bytesWritten;
    histogramIn(this.#connections, errorType(error), LONG_SECONDS).observe(duration / 1000);
  }

  /** See {@linkcode MetricsSink.handshakeBegan}. */
  handshakeBegan(): void {
    this.#activeHandshakes++;
  }

  /** See {@linkcode MetricsSink.handshakeEnded}. */
  handshakeEnded(duration: number, error: SocketError | undefined): void {
    this.#activeHandshakes--;
    histogramIn(this.#handshakes, errorType(error), SHORT_SECONDS).observe(duration / 1000);
  }

  /** See {@linkcode MetricsSink.requestBegan}. */
  requestBegan(request: MeasuredRequest): void {
    const key = requestKey(request);
    this.#activeRequests.set(key, (this.#activeRequests.get(key) ?? 0) + 1);
  }

  /** See {@linkcode MetricsSink.requestEnded}. */
  requestEnded(
    request: MeasuredRequest,
    duration: number,
    status: number | undefined,
    complete: boolean,
  ): void {
    const key = requestKey(request);
    this.#activeRequests.set(key, this.#activeRequests.get(key)! - 1);
    const answer = (key * 2 + (complete ? 1 : 0)) * STATUSES + (status ?? 0);
    histogramIn(this.#requests, answer, SHORT_SECONDS).observe(duration / 1000);
  }

  /** Returns what was counted so far in the text format of Prometheus, {@linkcode METRICS_TYPE}. */
  text(): string {
    return formatSamples(this.samples());
  }

  /** Returns what was counted so far as plain data, for {@linkcode formatSamples}. */
  samples(): Sample[] {
    return [...this.#requestSamples(), ...this.#connectionSamples()];
  }

  #connectionSamples(): Sample[] {
    let [received, transmitted] = [this.#received, this.#transmitted];
    for (const { bytesRead, bytesWritten } of this.#open) {
      received += bytesRead;
      transmitted += bytesWritten;
    }
    const bytes = "plainsocket_network_io_bytes_total";
    const samples: Sample[] = [
      ["plainsocket_active_connections", "", this.#open.size],
      ["plainsocket_queued_connections", "", this.#queued],
      [bytes, 'network_io_direction="receive"', received],
      [bytes, 'network_io_direction="transmit"', transmitted],
    ];
    for (const [reason, count] of this.#rejected) {
      samples.push(["plainsocket_rejected_connections_total", `reason="${reason}"`, count]);
    }
    addByError(samples, "plainsocket_connection_duration_seconds", this.#connections);
    if (this.#activeHandshakes === 0 && this.#handshakes.size === 0) return samples;
    samples.push(["plainsocket_active_tls_handshakes", "", this.#activeHandshakes]);
    addByError(samples, "plainsocket_tls_handshake_duration_seconds", this.#handshakes);
    return samples;
  }

  #requestSamples(): Sample[] {
    const samples: Sample[] = [];
    for (const [key, histogram] of this.#requests) {
      const name = "http_server_request_duration_seconds";
      histogram.addTo(samples, name, answerLabels(key));
    }
    for (const [key, count] of this.#activeRequests) {
      samples.push(["http_server_active_requests", labelsOf(requestLabels(key)), count]);
    }
    return samples;
  }
}

function histogramIn<K>(
  histograms: Map<K, Histogram>,
  key: K,
  bounds: readonly number[],
): Histogram {
  let histogram = histograms.get(key);
  if (histogram === undefined) histograms.set(key, histogram = new Histogram(bounds));
  return histogram;
}

function addByError(
  samples: Sample[],
  name: string,
  histograms: ReadonlyMap<string, Histogram>,
): void {
  for (const [error, histogram] of histograms) {
    histogram.addTo(samples, name, labelsOf({ error_type: error }));
  }
}

/** The code of an error, if it is one of ours. */
function errorType(error: unknown): string {
  if (error === undefined) return "";
  const code = error instanceof SocketError ? error.code : "";
  return Object.hasOwn(ERROR_CODES, code) ? code : "_OTHER";
}

/** A number for the method and the scheme of a request. */
function requestKey({ method, scheme }: MeasuredRequest): number {
  return (METHOD_INDEX.get(method) ?? OTHER_METHOD) * 2 + (scheme === "https" ? 1 : 0);
}

function requestLabels(key: number): Readonly<Record<string, string>> {
  return { http_request_method: METHODS[key >> 1], url_scheme: SCHEMES[key & 1] };
}

function answerLabels(key: number): string {
  const status = key % STATUSES;
  const rest = (key - status) / STATUSES;
  const error = (rest & 1) === 0 ? "incomplete" : status >= 500 ? String(status) : "";
  const { http_request_method, url_scheme } = requestLabels(rest >> 1);
  return labelsOf({
    http_request_method,
    http_response_status_code: status === 0 ? "" : String(status),
    url_scheme,
    error_type: error,
  });
}

/** Those that are empty are left out, which means the same. */
function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}="${value}"`).join(",");
}
