/**
 * Errors of a peer on a WebSocket.
 *
 * @module
 */

import { escapeText } from "../../base/escape.ts";

/**
 * Why a WebSocket failed, when it was not its socket that failed. Decide by `closeCode`; the message is
 * for people.
 */
export class WsError extends Error {
  /** Always `"WsError"`. */
  override readonly name = "WsError";
  /** The code of the Close frame that the peer gets (RFC 6455 section 7.4.1); 1006 if it gets none. */
  readonly closeCode: number;

  /** Makes an error; `why` is what the peer did, as the end of a sentence. */
  constructor(closeCode: number, why: string) {
    super(escapeText(`The WebSocket has failed: ${why} (${closeCode}).`));
    this.closeCode = closeCode;
  }
}
