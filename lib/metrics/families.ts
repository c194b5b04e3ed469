/**
 * The metrics: their names, types, labels and meanings. The names are those of OpenTelemetry's semantic
 * conventions, as Prometheus writes them; those of connections follow the ones of Kestrel.
 *
 * @module
 */

/** The description of a metric. */
export interface Family {
  readonly type: "counter" | "gauge" | "histogram";
  /** The unit of its values. */
  readonly unit: string;
  readonly labels: readonly string[];
  /** A sentence without its full stop. */
  readonly help: string;
}

/** The metrics by name. The last ones are those of the programs, which `--metrics` adds. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  http_server_request_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: ["http_request_method", "http_response_status_code", "url_scheme", "error_type"],
    help: "Duration of HTTP requests, from the end of the head to the end of the response",
  },
  http_server_active_requests: {
    type: "gauge",
    unit: "requests",
    labels: ["http_request_method", "url_scheme"],
    help: "HTTP requests whose response is not complete yet",
  },
  plainsocket_active_connections: {
    type: "gauge",
    unit: "connections",
    labels: [],
    help: "Connections that are served now",
  },
  plainsocket_queued_connections: {
    type: "gauge",
    unit: "connections",
    labels: [],
    help: "Connections that wait to be served, in the process and not in the kernel",
  },
  plainsocket_rejected_connections_total: {
    type: "counter",
    unit: "connections",
    labels: ["reason"],
    help: "Connections that were reset before they were served",
  },
  plainsocket_connection_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: ["error_type"],
    help: "Duration of connections that have ended",
  },
  plainsocket_active_tls_handshakes: {
    type: "gauge",
    unit: "handshakes",
    labels: [],
    help: "TLS handshakes that are under way",
  },
  plainsocket_tls_handshake_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: ["error_type"],
    help: "Duration of TLS handshakes, those that failed included",
  },
  plainsocket_network_io_bytes_total: {
    type: "counter",
    unit: "bytes",
    labels: ["network_io_direction"],
    help:
      "Bytes of the connections that were received and transmitted, without those of TLS itself",
  },
  plainsocket_ready_workers: {
    type: "gauge",
    unit: "workers",
    labels: [],
    help: "Workers that serve now",
  },
  plainsocket_worker_restarts_total: {
    type: "counter",
    unit: "restarts",
    labels: [],
    help: "Workers that ended unasked, and were replaced",
  },
  process_cpu_seconds_total: {
    type: "counter",
    unit: "seconds",
    labels: [],
    help: "Processor time of the processes, of user and system",
  },
  process_resident_memory_bytes: {
    type: "gauge",
    unit: "bytes",
    labels: [],
    help: "Resident memory of the processes",
  },
  process_open_fds: {
    type: "gauge",
    unit: "descriptors",
    labels: [],
    help: "Open file descriptors of the processes",
  },
  process_max_fds: {
    type: "gauge",
    unit: "descriptors",
    labels: [],
    help: "The limit of open file descriptors of one process",
  },
  process_start_time_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: [],
    help: "When the process started, since 1970",
  },
};
