/**
 * Connections as streams, for code that takes only those: web streams, and streams of Node's.
 *
 * @module
 */

export { toDuplex } from "../conn_to_duplex.ts";
export { toWebStreams } from "../web_streams.ts";
export type { WebStreams } from "../web_streams.ts";
