/**
 * The output of `-v` on a terminal: the connections drawn in columns while they go on.
 *
 * @module
 */

import { ERROR_CODES } from "../../base/error_codes.ts";
import { factOf } from "../../base/errors.ts";
import { escapeText } from "../../base/escape.ts";
import { wrapText } from "../../base/text_width.ts";
import type { SocketEvent } from "../../observe/events.ts";
import { headingLines, roomOf, rowLines, type Sheet } from "../../recording/text_columns.ts";
import {
  ConnectionReader,
  type Party,
  type RecordedConnection,
  type Step,
} from "../../recording/connections.ts";
import type { RecordedEvent } from "../../recording/format.ts";
import { formatTime, lineOf } from "../../recording/sequence_diagram.ts";
import type { Canvas, DataEvent, Drawing, DrawingWords } from "../io/drawing_types.ts";

/** Makes the sink that draws. */
export const liveDrawing: Drawing = (canvas, words) => {
  const drawing = new LiveDrawing(canvas, words);
  return (event) => drawing.add(event);
};

class LiveDrawing {
  readonly #canvas: Canvas;
  readonly #words: DrawingWords;
  readonly #reader = new ConnectionReader({
    began: (connection) => this.#began(connection),
    opened: (connection) => this.#opened(connection),
    stepped: (step, connection) => this.#stepped(step, connection),
  });
  /** The width that the sides were named at. */
  #width = 0;
  /** The event that is being added. */
  #event: SocketEvent | undefined;

  constructor(canvas: Canvas, words: DrawingWords) {
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
    const { width, color } = this.#canvas;
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
      readonly kind: Step["kind"] | "open";
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

  #stepped(step: Step, connection: RecordedConnection): void {
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
  // Whoever could not connect says at the end what to do next.
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
