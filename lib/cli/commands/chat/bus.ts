/**
 * `chat --bus` and `chat --history`: other servers of the room, and lines that are kept.
 *
 * @module
 */

import {
  type Bus,
  type BusState,
  type ChatPosition,
  memoryBus,
  natsBus,
} from "../../../protocols/chat/mod.ts";
import { natsPlace } from "../../../protocols/chat/nats/url.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import { type Flag, integer, ofOption, text, UsageError, type Values } from "../../io/flags.ts";
import type { Log } from "../../io/log.ts";
import { secretOf } from "../../io/secret.ts";
import type { Session } from "../../session.ts";

/** The most lines that are kept. Each server has all of them in its memory. */
const MOST_LINES = 100_000;

/** The flags. */
export const BUS_FLAGS: { readonly bus: Flag<string>; readonly history: Flag<number> } = {
  bus: {
    secret: true,
    ...text(
      "URL",
      "",
      "join other servers over NATS: nats://HOST:4222, or @FILE",
    ),
  },
  history: integer("N", [0, MOST_LINES], 0, "lines to keep for members that come back (default 0)"),
};

/** For the help. */
export const BUS_HELP =
  `--bus joins the rooms of all servers that have the same URL; nats://USER:PASSWORD@HOST:PORT/ROOM has
all of its parts. Start nats-server first, with --jetstream if --history is to keep lines. All
that may publish there can speak in any name: give NATS a password, or a network of its own. While
it is away, members of one server still hear each other. docs/chat.md has the rules. On Node, it
needs npm install @nats-io/nats-core @nats-io/jetstream.`;

/** The values of the flags. */
export interface BusOptions {
  /** Undefined if there are no other servers. */
  readonly url: string | undefined;
  readonly history: number;
}

/** A bus, and when it is at its end. */
export interface OpenedBus {
  /** Undefined if the room needs none. */
  readonly bus: Bus | undefined;
  readonly closed: Promise<void> | undefined;
}

/** Makes what the flags say. Throws a {@linkcode UsageError}. */
export function parseBus({ bus, history }: Values<typeof BUS_FLAGS>): BusOptions {
  if (bus === "") return { url: undefined, history };
  return ofOption("--bus", () => {
    const url = secretOf(bus);
    try {
      natsPlace(url);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
    return { url, history };
  });
}

/** Opens the bus. It connects once a room is there. */
export async function openBus({ url, history }: BusOptions, session: Session): Promise<OpenedBus> {
  const { log, io: { clock } } = session;
  if (url === undefined) {
    return { bus: history > 0 ? memoryBus({ history }) : undefined, closed: undefined };
  }
  const { server } = natsPlace(url);
  const onState = (state: BusState, why: string) => logState(log, server, state, why);
  const onRefused = (why: string) =>
    log.event(`bus ${server}: a line was refused, and nobody got it: ${why}`, {
      event: "bus-refusal",
      server,
      why,
    });
  const bus = await natsBus({ url, history, clock, onState, onRefused }).catch((error) => {
    throw new CliError(EXIT.usage, (error as Error).message, { cause: error });
  });
  return { bus, closed: bus.closed };
}

function logState(log: Log, server: string, state: BusState, why: string): void {
  const line = state === "up"
    ? `bus ${server}: connected`
    : `bus ${server}: away, members hear those of this server only: ${why}`;
  log.event(line, { event: "bus", state, server, ...(state === "up" ? {} : { why }) });
}

/** The position that a page gives when it comes back: `/ws?epoch=E&offset=N`. Undefined if it has none. */
export function positionOf(target: string): ChatPosition | undefined {
  const query = new URLSearchParams(target.split("?", 2)[1] ?? "");
  const [epoch, offset] = [query.get("epoch"), query.get("offset")];
  if (epoch === null || !/^[\w-]{1,40}$/.test(epoch)) return undefined;
  return /^\d{1,15}$/.test(offset ?? "") ? { epoch, offset: Number(offset) } : undefined;
}
