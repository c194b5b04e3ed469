/**
 * `server.ts echo --ws`: messages come back, texts as texts and bytes as bytes.
 *
 * @module
 */

import type { Signals } from "../../io/signals.ts";
import { openListener } from "../../serving/serving.ts";
import type { Session } from "../../session.ts";
import { serveWebSockets, WEB_SOCKETS, webSocketHandler } from "../web_socket/serving.ts";
import type { EchoMessageOptions } from "./server_options.ts";

/** Serves until a signal says stop; resolves to the exit code. */
export async function echoMessages(
  { serving, origins }: EchoMessageOptions,
  session: Session,
  signals: Signals,
): Promise<number> {
  const opened = await openListener(serving, session, undefined, WEB_SOCKETS);
  const handler = webSocketHandler(
    async (ws) => {
      for await (const message of ws) await ws.write(message);
    },
    origins,
    session,
  );
  return await serveWebSockets(opened, handler, serving.limits, session, signals);
}
