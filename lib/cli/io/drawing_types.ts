/**
 * A drawing of connections: its surface, and its text in the words of one program.
 *
 * @module
 */

import type { EventSink, SocketEvent } from "../../observe/events.ts";

/** Data that is received or sent. */
export type DataEvent = Extract<SocketEvent, { readonly type: "recv" | "send" }>;

/** A message: an arrow with a text, and lines below it. */
export interface DrawnMessage {
  readonly text: string;
  readonly details?: readonly string[];
}

/** See the module. What is not there is what bytes and addresses say by themselves. */
export interface DrawingWords {
  /** The names of the sides from left to right. With three, the middle one is this side. */
  readonly sides?: readonly string[];
  /** The messages that data completes, in place of its size and its first bytes. */
  readonly messages?: (event: DataEvent) => readonly DrawnMessage[];
  /** The name of a client by its address. */
  readonly nameOf?: (client: string) => string | undefined;
  /** A socket was closed. */
  readonly closed?: (socket: number) => void;
}

/** The surface to draw on: its present width, and whether it has colours. */
export interface Canvas {
  readonly width: () => number;
  readonly color: boolean;
  readonly put: (lines: string) => void;
}

/** Makes the sink that draws. */
export type Drawing = (canvas: Canvas, words: DrawingWords) => EventSink;
