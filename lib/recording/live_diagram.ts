/**
 * A diagram of connections that grows while they go on: each side is a column, each step an arrow.
 *
 * @module
 */

import { checkOptions, FLAG, FUNCTION, type Kinds, required, TEXTS } from "../base/arguments.ts";
import { ERROR_CODES } from "../base/error_codes.ts";
import { factOf } from "../base/errors.ts";
import { escapeText } from "../base/escape.ts";
import { wrapText } from "../base/text_width.ts";
import type { EventSink, SocketEvent } from "../observe/events.ts";
import {
  ConnectionReader,
  type Party,
  type RecordedConnection,
  type RecordedStep,
} from "./connections.ts";
import type { RecordedEvent } from "./format.ts";
import { formatTime, lineOf } from "./sequence_diagram.ts";
import { headingLines, roomOf, rowLines, type Sheet } from "./text_columns.ts";

/** Data that is received or sent. */
export type DataEvent = Extract<SocketEvent, { readonly type: "recv" | "send" }>;

/** A message: an arrow with a text, and lines below it. */
export interface DiagramMessage {
  /** The text of the arrow. */
  readonly text: string;
  /** The lines below the arrow. Default: none. */
  readonly details?: readonly string[];
}

/** The words of one program. Default: those of bytes and addresses. */
export interface DiagramWords {
  /** The names of the sides from left to right. With three, the middle one is this side. */
  readonly sides?: readonly string[];
  /** Returns the messages that data completes. They replace its size and its first bytes. */
  readonly messages?: (event: DataEvent) => readonly DiagramMessage[];
  /** The name of a client by its address. */
  readonly nameOf?: (client: string) => string | undefined;
  /** Called when a socket was closed. */
  readonly closed?: (socket: number) => void;
}

/** The surface to draw on. */
export interface DiagramCanvas {
  /** Writes lines, with their line ends. Control characters in them are colours only. */
  readonly put: (lines: string) => void;
  /** Returns the present width, in characters. Default: 80. */
  readonly width?: () => number;
  /** Whether it shows the colours of terminals. Default: false. */
  readonly color?: boolean;
}

const CANVAS: Kinds<DiagramCanvas> = { put: required(FUNCTION), width: FUNCTION, color: FLAG };

const WORDS: Kinds<DiagramWords> = {
  sides: TEXTS,
  messages: FUNCTION,
  nameOf: FUNCTION,
  closed: FUNCTION,
};

/**
 * Makes a sink for `observe()` that draws connections while they go on: an arrow for each step, with
 * its time and its first bytes. Throws a TypeError for options that are not valid.
 *
 * @example The steps of a connection
 * ```ts
 * import { observe, systemTransport } from "@plainsocket/plainsocket";
 * import { liveDiagram } from "@plainsocket/plainsocket/recording";
 *
 * const sink = liveDiagram({ put: (lines) => console.log(lines.trimEnd()) });
 * const transport = observe(systemTransport, sink);
 * const listener = await transport.listen({ host: "localhost" });
 * listener.close();
 * ```
 */
export function liveDiagram(canvas: DiagramCanvas, words: DiagramWords = {}): EventSink {
  checkOptions("liveDiagram", canvas, CANVAS, "{ put: (lines) => process.stderr.write(lines) }");
  checkOptions("liveDiagram", words, WORDS);
  const diagram = new LiveDiagram(canvas, words);
  return (event) => diagram.add(event);
}

/** The width of a canvas that does not say its own. */
const USUAL_WIDTH = 80;

class LiveDiagram {
  readonly #canvas: DiagramCanvas;
  readonly #words: DiagramWords;
  readonly #reader = new ConnectionReader({
    began: (connection) => this.#began(connection),
    opened: (connection) => this.#opened(connection),
    stepped: (step, connection) => this.#stepped(step, connection),
  });
  /** The width that the sides were named at. */
  #width = 0;
  /** The event that is being added. */
  #event: SocketEvent | undefined;

  constructor(canvas: DiagramCanvas, words: DiagramWords) {
    this.#canvas = canvas;
    this.#words = words;
  }

  add(event: SocketEvent): void {
    this.#event = event;
    const known = "socket" in event && event.socket !== undefined &&
      this.#reader.of(event.socket) !== undefined;
    if (known || event.type === "bind") this.#reader.add(recorded(event));
    switch (event.type) {
      case "connect":
      case "accept":
        return this.#reader.add(recorded(event));
      case "listen":
        return this.#note("waiting for connections");
      case "resolve": {
        const { endpoint, addrs } = event;
        if (addrs.some(({ host }) => host === endpoint.host)) return;
        return this.#note(`${endpoint.host} is ${addrs.map(({ host }) => host).join(", ")}`);
      }
      case "link":
        return this.#linked(event.socket, event.peer);
      case "error":
        return known ? undefined : this.#note(factOf(event.error));
      case "close":
        this.#words.closed?.(event.socket);
        if (!known) this.#note("closing the listening socket");
    }
  }

  #sheet(): Sheet {
    const { width = () => USUAL_WIDTH, color = false } = this.#canvas;
    return { width: width(), sides: this.#words.sides ?? ["client", "server"], color };
  }

  #put(lines: readonly string[]): void {
    if (lines.length > 0) this.#canvas.put(`${lines.join("\n")}\n`);
  }

  #note(text: string): void {
    this.#put(wrapText(escapeText(text), this.#sheet().width - 1));
  }

  /**
   * Returns the gap in which a connection is drawn. A relay's own connections stand between it and
   * the target.
   */
  #gapOf({ recorded }: RecordedConnection): number {
    return (this.#words.sides?.length ?? 2) > 2 && recorded === "client" ? 1 : 0;
  }

  #heading(connection: RecordedConnection): void {
    const { client, server, number, recorded } = connection;
    const sheet = this.#sheet();
    this.#width = sheet.width;
    const gap = this.#gapOf(connection);
    const middle = sheet.sides.length > 2;
    const own = middle ? 1 : recorded === "client" ? 0 : 1;
    const sides = sheet.sides.map((side, i) => i === own ? `${side} (this side)` : side);
    const addresses = sides.map((_, i) => i === gap ? client : i === gap + 1 ? server : "");
    this.#put(headingLines({ ...sheet, sides }, `#${number}`, addresses));
  }

  #row(
    connection: RecordedConnection,
    row: {
      readonly time: number;
      readonly kind: RecordedStep["kind"] | "open";
      readonly from: Party | undefined;
      readonly text: string;
      readonly details?: readonly string[];
    },
  ): void {
    const sheet = this.#sheet();
    if (sheet.width !== this.#width) this.#heading(connection);
    const time = formatTime(row.time - connection.began);
    const mark = `#${connection.number}`;
    this.#put(rowLines(sheet, { ...row, mark, time, gap: this.#gapOf(connection) }));
  }

  #began(connection: RecordedConnection): void {
    const { opened, began: time, datagrams, number, server } = connection;
    if (opened === undefined) return this.#note(`#${number} trying ${server}`);
    this.#heading(connection);
    if (datagrams) return this.#note(`#${number} waiting for datagrams`);
    this.#row(connection, { time, kind: "open", from: "client", text: "connect" });
  }

  #opened(connection: RecordedConnection): void {
    this.#heading(connection);
    const { began, opened, datagrams } = connection;
    if (datagrams) return;
    this.#row(connection, { time: began, kind: "open", from: "client", text: "connect" });
    this.#row(connection, { time: opened!, kind: "open", from: "server", text: "connected" });
  }

  #stepped(step: RecordedStep, connection: RecordedConnection): void {
    const event = this.#event!;
    if (event.type === "error" && connection.opened === undefined) {
      const { code, message } = event.error;
      const why = code === "ECANCELED" ? "given up: another address was faster" : message;
      return this.#note(`#${connection.number} ${why}`);
    }
    const said = step.kind === "data" && this.#words.messages?.(event as DataEvent);
    if (said) {
      for (const message of said) this.#row(connection, { ...step, ...message });
      return;
    }
    const { label, preview } = lineOf(step, roomOf(this.#sheet()));
    const name = step.kind === "data" ? this.#words.nameOf?.(connection.client) : undefined;
    const text = name === undefined
      ? [label, preview]
      : step.from === "client"
      ? [label, `${name}: ${preview}`]
      : [`${label} to ${name}`, preview];
    this.#row(connection, {
      ...step,
      text: text.filter(Boolean).join("  "),
      details: detailsOf(event),
    });
  }

  #linked(socket: number, peer: number): void {
    const [one, other] = [this.#reader.of(socket), this.#reader.of(peer)];
    if (one === undefined || other === undefined) return;
    this.#note(`#${one.number} and #${other.number} are joined`);
  }
}

/** An event as recordings have it. */
function recorded(event: SocketEvent): RecordedEvent {
  // A program that could not connect says at its end what to do next.
  if (event.type === "error" && event.error.op === "connect") {
    const { code, op } = event.error;
    return { ...event, error: { code, op, message: factOf(event.error) } };
  }
  return "data" in event ? { ...event, size: event.data.length } : event;
}

/** Returns the lines below a step. */
function detailsOf(event: SocketEvent): string[] {
  if (event.type === "error" && event.error.code === "ECONNRESET") {
    return [ERROR_CODES.ECONNRESET.next];
  }
  if (event.type !== "handshake" || event.peerCertificate === undefined) return [];
  const { subject, issuer, validTo } = event.peerCertificate;
  const line = (text: string) => text.replaceAll("\n", ", ");
  return [`certificate: ${line(subject)}`, `by ${line(issuer)}, until ${validTo}`];
}
