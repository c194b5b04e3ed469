/**
 * The stream of NATS that keeps the lines of a room.
 *
 * @module
 */

import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { NatsPlace } from "./url.ts";

/** How often NATS is asked for a stream that it is creating, before that is an error. */
const MAX_ASKED = 100;

/**
 * Opens the stream of a room, and creates it if it does not exist. Rejects if the stream cannot keep the
 * lines of the room, or is not ready.
 */
export async function openStream(
  manager: JetStreamManager,
  place: NatsPlace,
  history: number,
): Promise<StreamInfo> {
  let info = await findOrCreate(manager, place, history);
  // While another server has NATS create it, NATS gives the year 1. Positions need the true time.
  for (let asked = 0; Date.parse(info.created) < 0; asked++) {
    if (asked === MAX_ASKED) throw new Error(`the stream ${place.stream} is still being created`);
    info = await manager.streams.info(place.stream);
  }
  return info;
}

async function findOrCreate(
  { streams }: JetStreamManager,
  { stream, lines }: NatsPlace,
  history: number,
): Promise<StreamInfo> {
  try {
    const info = await streams.info(stream);
    checkStream(info, lines);
    return info;
  } catch (error) {
    if ((error as Error).name !== "StreamNotFoundError") throw withAdvice(error as Error);
    return await streams.add({ name: stream, subjects: [lines], max_msgs: history });
  }
}

/** Throws if a stream that exists, and may be another program's, cannot keep the lines. */
function checkStream(
  { config: { name, subjects = [], no_ack: isSilent } }: StreamInfo,
  lines: string,
) {
  if (!subjects.some((subject) => covers(subject, lines))) {
    throw new Error(`the stream ${name} does not have the subject ${lines}: add it`);
  }
  if (isSilent) throw new Error(`the stream ${name} has no_ack, and confirms no line: unset it`);
}

/** Whether a subject, which may have wildcards, includes another. */
function covers(pattern: string, subject: string): boolean {
  const [tokens, parts] = [pattern.split("."), subject.split(".")];
  if (tokens.at(-1) === ">") parts.splice(tokens.length);
  const fits = (token: string, i: number) => token === ">" || token === "*" || token === parts[i];
  return tokens.length === parts.length && tokens.every(fits);
}

function withAdvice(error: Error): Error {
  const isOff = /not enabled|no responders/i.test(error.message);
  return isOff
    ? new Error("NATS keeps no lines: JetStream is off. Start nats-server with --jetstream", {
      cause: error,
    })
    : error;
}
