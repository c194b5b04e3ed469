/**
 * The answer of a TLS server to plain text: an alert (RFC 8446 section 6) and the end.
 *
 * @module
 */

/** A record with an alert, in any version. */
const [TYPE, MAJOR, LENGTH] = [21, 3, 7];

/** Looks whether an alert is all that came. */
export class AlertWatch {
  #size = 0;
  #begins = false;

  /** Takes what came. */
  take(data: Uint8Array): void {
    if (this.#size === 0) this.#begins = data[0] === TYPE && data[1] === MAJOR;
    this.#size += data.length;
  }

  /** Whether one came, and nothing else. */
  get isAlone(): boolean {
    return this.#begins && this.#size === LENGTH;
  }
}
