/**
 * Errors of PROXY protocol headers.
 *
 * @module
 */

/** Bytes that are not a PROXY protocol header; the message says why, as the middle of a sentence. */
export class ProxyHeaderError extends Error {
  /** Always `"ProxyHeaderError"`. */
  override readonly name = "ProxyHeaderError";
  /** Always `"EPROTO"`. */
  readonly code = "EPROTO";
}
