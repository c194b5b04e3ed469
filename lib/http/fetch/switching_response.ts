/**
 * The response with status 101, which a `Response` cannot have by itself.
 *
 * @module
 */

import type { LightResponse } from "../server/light.ts";

/** What `Response` says of a status that it refuses to be made with. */
const SWITCHING: PropertyDescriptorMap = { status: { value: 101 }, ok: { value: false } };

/** See the module. */
export class SwitchingResponse extends Response {
  readonly #light: LightResponse;

  /** Makes one of what the engine sends. */
  constructor(light: LightResponse) {
    super(null);
    this.#light = light;
    Object.defineProperties(this, SWITCHING);
  }

  /** What a response was made of; undefined if it is not one of these. */
  static lightBehind(response: object): LightResponse | undefined {
    return #light in response ? response.#light : undefined;
  }
}
