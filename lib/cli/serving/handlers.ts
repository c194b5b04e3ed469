/**
 * The conversations that workers can hold, by the name of the command: made in the worker, from the
 * flags that the parent was given.
 *
 * @module
 */

import { echo } from "../../echo.ts";
import type { Handler } from "../../serve.ts";

/** See the module. */
export const HANDLERS: {
  readonly echo: (flags: { readonly "recv-size": number }) => Handler;
} = {
  echo: (flags) => echo({ recvSize: flags["recv-size"] }),
};
