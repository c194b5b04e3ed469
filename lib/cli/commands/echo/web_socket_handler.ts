/**
 * The handler of `echo --ws`: messages come back, texts as texts and bytes as bytes.
 *
 * @module
 */

import type { LightHandler } from "../../../http/server/light.ts";
import type { MessageOptions } from "../../web_socket/options.ts";
import { type HandlerLog, webSocketHandler } from "../../web_socket/serving.ts";

/** Makes the handler of requests. */
export function echoHandler(options: MessageOptions, context: HandlerLog): LightHandler {
  return webSocketHandler(
    async (ws) => {
      for await (const message of ws) await ws.write(message);
    },
    options,
    context,
  );
}
