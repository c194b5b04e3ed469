/**
 * What each worker of `--workers` runs: the conversations of a command, as the parent's flags say.
 *
 * @module
 */

import { serve } from "../../serve/serve.ts";
import type { WorkerMain } from "../../workers/protocol.ts";
import { Instruments } from "../options/instrument.ts";
import { openAccess, shareOf } from "../options/access.ts";
import { flushed, serverIo } from "../io/io.ts";
import { Log, type LogOptions } from "../io/log.ts";
import { conversationOptions, type ServingFlags, withCallbacks } from "./serving.ts";
import { openServerTransport } from "./shortage.ts";
import { type ConversationName, CONVERSATIONS, type Conversations } from "./conversations.ts";

/** Where this file is. */
export const WORKER_MODULE: string = import.meta.url;

/** What the parent tells a worker. */
export interface WorkerTask {
  /** The command. */
  readonly name: ConversationName;
  /** Its flags, with those that its conversations take. */
  readonly flags: ServingFlags & LogOptions;
}

const main: WorkerMain = async ({ id, data, signal, drainTimeout, listen }) => {
  const io = serverIo();
  const { stderr, clock } = io;
  // It goes on when nobody reads what it says.
  stderr.on("error", () => {});
  const { name, flags } = data as WorkerTask;
  const log = new Log(io, { ...flags, worker: id });
  const onReload = (reload: () => void) => io.onSignal("SIGHUP", reload);
  const access = openAccess(flags, log, onReload, shareOf(flags.host, flags["max-connections"]));
  const { handler, transcript } = CONVERSATIONS[name] as Conversations<unknown>;
  const transport = openServerTransport({ log, io, instruments: new Instruments() }, transcript());
  const listener = await listen({
    listen: (options) => transport.listen(withCallbacks(options, access, log)),
  });
  const options = { ...conversationOptions(flags, access, log, clock), signal, drainTimeout };
  const summary = await serve(listener, handler(flags, log, transport, clock), options).finished;
  // What a thread has written is lost if it ends before that is out.
  await flushed(stderr);
  // Handshakes, too, refuse who may not connect.
  return { ...summary, refused: access?.refused ?? 0 };
};
export default main;
