/**
 * The response with status 101, which a `Response` cannot have by itself.
 *
 * @module
 */

import type { LightResponse } from "../server/light.ts";

/** The properties of a `Response` with a status that its constructor refuses. */
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

  /** Returns the light response that it was made of. Undefined if it is not one of these. */
  static lightBehind(response: object): LightResponse | undefined {
    return #light in response ? response.#light : undefined;
  }
}
