/**
 * The conversations that workers can hold, by the name of the command: made in the worker, from the
 * flags that the parent was given.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { echo } from "../../protocols/echo.ts";
import type { Handler } from "../../serve/serve.ts";
import type { Transport } from "../../net/transport.ts";
import type { Values } from "../io/flags.ts";
import type { Log, Transcript } from "../io/log.ts";
import { relayHandler } from "../commands/relay/handler.ts";
import type { TARGET_FLAGS } from "../commands/relay/target.ts";
import { serverTranscript, switchboardTranscript } from "../io/transcript.ts";

/** How the conversations of a command are held, and told of. */
export interface Conversations<Flags> {
  /** Makes the handler. It connects, if it does, through the transport. */
  readonly handler: (flags: Flags, log: Log, transport: Transport, clock: Clock) => Handler;
  /** What `-v` shows of them. */
  readonly transcript: () => Transcript;
}

/** See the module. */
export const CONVERSATIONS: {
  readonly echo: Conversations<{ readonly "recv-size": number }>;
  readonly relay: Conversations<Values<typeof TARGET_FLAGS>>;
} = {
  echo: {
    handler: (flags) => echo({ recvSize: flags["recv-size"] }),
    transcript: serverTranscript,
  },
  relay: { handler: relayHandler, transcript: switchboardTranscript },
};

/** A command whose conversations workers can hold. */
export type ConversationName = keyof typeof CONVERSATIONS;

/** The flags of such a command that its handler takes. */
export type ConversationFlags<Name extends ConversationName> = Parameters<
  typeof CONVERSATIONS[Name]["handler"]
>[0];
