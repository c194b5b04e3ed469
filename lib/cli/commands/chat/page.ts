/**
 * `chat --ws`: the page of the room, and its WebSockets, at a port of their own.
 *
 * @module
 */

import type { Listener, Transport } from "../../../net/transport.ts";
import type { WsHandler } from "../../../http/ws/mod.ts";
import type { ServeSummary } from "../../../serve/serve.ts";
import type { ChatRoom } from "../../../protocols/chat/mod.ts";
import { type Flag, integer, needing, optional, UsageError, type Values } from "../../io/flags.ts";
import type { Signals } from "../../io/signals.ts";
import type { LimitOptions } from "../../options/limits.ts";
import { handoverOf } from "../../serving/handover.ts";
import { listenAsPlanned, type Listening } from "../../serving/serving.ts";
import type { Session } from "../../session.ts";
import { positionOf } from "./bus.ts";
import {
  type MessageOptions,
  parseMessageOptions,
  webSocketFlags,
} from "../../web_socket/options.ts";

/** The flags of the page. */
export const PAGE_FLAGS: ReturnType<typeof webSocketFlags> & {
  readonly "ws-port": Flag<number | undefined>;
} = {
  ...webSocketFlags("let browsers in, too: with a page, at another port"),
  "ws-port": needing(
    "ws",
    optional(
      integer("PORT", [0, 65535], 0, "its port (default the next one; with --port 0 a free one)"),
    ),
  ),
};

/** Options of the page. */
export interface PageOptions {
  /** Undefined is the one after that of the terminals. */
  readonly port: number | undefined;
  readonly messages: MessageOptions;
}

/** Makes what the flags say; undefined if there is to be no page. Throws a {@linkcode UsageError}. */
export function parsePage(
  values: Values<typeof PAGE_FLAGS> & {
    readonly host: string | undefined;
    readonly port: number | undefined;
    readonly unix: string;
    readonly fd: number | undefined;
  },
): PageOptions | undefined {
  const { ws, "ws-port": own, port, unix, fd } = values;
  if (!ws) return undefined;
  if (unix !== "") {
    throw new UsageError("Option --ws cannot be used with --unix: browsers need a port");
  }
  if (fd !== undefined) {
    throw new UsageError("Option --ws cannot be used with --fd: there are two ports");
  }
  if (own !== undefined && own !== 0 && own === port) {
    throw new UsageError("Options --port and --ws-port cannot be the same: the page has its own");
  }
  return { port: own ?? (port === 0 ? 0 : undefined), messages: parseMessageOptions(values) };
}

/** The parts of the chat that {@linkcode openPage} uses. */
export interface PageContext {
  /** How the terminals are listened for. */
  readonly plan: Listening;
  /** Closed if the page has no port. */
  readonly terminals: Listener;
  readonly transport: Transport;
  readonly session: Session;
}

/** A page whose URL is printed. */
export interface OpenedPage {
  /** Serves it until a signal says stop; resolves to what it has done. */
  serve(room: ChatRoom, limits: LimitOptions, signals: Signals): Promise<ServeSummary>;
}

/** Listens for browsers. Loads the web server first. */
export async function openPage(
  { port, messages }: PageOptions,
  { plan, terminals, transport, session }: PageContext,
): Promise<OpenedPage> {
  const { PAGES, serveRequests, webSocketHandler } = await import("../../web_socket/serving.ts");
  const { pageHandler } = await import("./page_handler.ts");
  const own = { ...plan.listenAddress, port: port ?? portBehind(terminals) };
  const listenAddress = await handoverOf(session).addressFor(plan.name, own);
  const opened = await listenAsPlanned({ ...plan, listenAddress }, session, transport, PAGES)
    .catch((error) => {
      terminals.close();
      throw error;
    });
  return {
    serve(room, limits, signals) {
      const context = { log: session.log, clock: session.io.clock };
      const sockets = webSocketHandler(hold(room), messages, context, {
        maxSize: MOST_OF_MESSAGE,
      });
      const { trustProxy } = messages;
      return serveRequests(
        { ...opened, trustProxy },
        pageHandler(sockets),
        limits,
        session,
        signals,
      );
    },
  };
}

/** Lets a client in, where it was if it comes back. */
function hold(room: ChatRoom): WsHandler {
  return (ws, { target }) => room.join(ws, positionOf(target));
}

/** The most bytes of a message: a line has 1000, and the member is notified of a longer one. */
const MOST_OF_MESSAGE = 16 * 1024;

function portBehind({ addr }: Listener): number {
  return "port" in addr && addr.port < 65535 ? addr.port + 1 : 0;
}
