/**
 * The metrics of servers, for Prometheus: connections, handshakes of TLS, bytes, and requests of HTTP.
 *
 * @module
 */

export { addSamples, formatSamples, METRICS_TYPE } from "./samples.ts";
export type { Sample } from "./samples.ts";
export { ServerMetrics } from "./server_metrics.ts";
