/**
 * A case: bytes to send, and what the other side must do then.
 *
 * @module
 */

import type { Frame, Role } from "./frame.ts";

/** The messages that the other side may send besides Close. */
export interface Sent {
  readonly type: "text" | "binary" | "ping" | "pong";
  readonly data: Uint8Array;
}

/** The expectation. */
export type Expected =
  /** These messages come back, and these Pongs, in this order. */
  | { readonly type: "echo"; readonly events: readonly Sent[] }
  /**
   * The connection fails (RFC 6455 section 7.1.7): a Close with one of the codes. Before that may come
   * `before`, or the first of them.
   */
  | {
    readonly type: "failure";
    readonly codes: readonly number[];
    readonly before?: readonly Sent[];
  }
  /** A Close with one of the codes answers ours, and TCP ends. `undefined` is a Close without a code. */
  | {
    readonly type: "close";
    readonly codes: readonly (number | undefined)[];
    readonly before?: readonly Sent[];
  }
  /** The connection may stay open, without a message. */
  | { readonly type: "silence" };

/** The properties of every case. */
interface CaseBase {
  /** As in `2.1-3`: section, group, number. */
  readonly id: string;
  /** As in `RFC 6455 5.2`. */
  readonly rfc: string;
  /** The sentence of the RFC. */
  readonly rule: string;
  /** The bytes to send. */
  readonly title: string;
}

/** A case on a connection that is open. */
export interface FrameCase extends CaseBase {
  readonly type: "frames";
  /** The side that can be tested with it. Default: both. */
  readonly side?: Role;
  /** Frames, and bytes that are not whole frames. They leave in one write. */
  readonly send: readonly (Frame | Uint8Array)[];
  /** Sends so many bytes in a write instead. */
  readonly by?: number;
  /** Sent if the connection has not failed a moment after `send`. Failing only then is not strict. */
  readonly late?: readonly (Frame | Uint8Array)[];
  /** Each of these is right. */
  readonly expect: readonly Expected[];
  /** Each of these is allowed, but unusual. */
  readonly allowed?: readonly Expected[];
  /** The extension that is offered; the case is skipped without it. Default: none. */
  readonly deflate?: string;
  /** Whether messages refer to earlier ones: the case is skipped where that is not agreed on. */
  readonly takeover?: boolean;
}

/** A case of the opening handshake, for servers. */
export interface RequestCase extends CaseBase {
  readonly type: "request";
  /** Makes the request; `host` is the value of Host. */
  readonly request: (options: RequestOptions) => string;
  /** Bytes that follow the request in the same write. */
  readonly followedBy?: readonly Frame[];
  /** Sends so many bytes in a write. Default: all. */
  readonly by?: number;
  /** Whether the server must accept it, must refuse it, or may do either. */
  readonly verdict: "accept" | "refuse" | "either";
  /** The statuses that a refusal should have. Default: those from 400 to 499. */
  readonly statuses?: readonly number[] | "any";
  /** Checks the response further; returns what is wrong. */
  readonly check?: (headers: Headers, key: string) => string | undefined;
}

/** The parts of a request. */
export interface RequestOptions {
  readonly host: string;
  readonly target: string;
  /** The value of Sec-WebSocket-Key. */
  readonly key: string;
}

/** A case of the opening handshake, for clients. */
export interface ResponseCase extends CaseBase {
  readonly type: "response";
  /** Makes the response to the request with this value of Sec-WebSocket-Accept. */
  readonly response: (accept: string) => string;
  /** Sends so many bytes in a write. Default: all. */
  readonly by?: number;
  /** Whether the client must accept it. */
  readonly verdict: "accept" | "refuse";
}

export type Case = FrameCase | RequestCase | ResponseCase;

/** Cases about one subject. */
export interface Section {
  readonly number: number;
  readonly name: string;
  readonly cases: readonly Case[];
}

/** Whether a case can be run against this side. */
export function isFor(one: Case, side: Role): boolean {
  if (one.type === "request") return side === "server";
  if (one.type === "response") return side === "client";
  return one.side === undefined || one.side === side;
}

/** A case without what its group says. */
export type Row = Omit<FrameCase, "type" | "id" | "rfc" | "rule">;

/** Cases that follow from one sentence of an RFC. */
export interface Group {
  readonly rfc: string;
  readonly rule: string;
  readonly rows: readonly Row[];
}

/** Makes a section of its groups, and numbers their cases; the first group has the number `first`. */
export function section(
  number: number,
  name: string,
  groups: readonly Group[],
  first = 1,
): Section {
  const cases = groups.flatMap(({ rfc, rule, rows }, g) =>
    rows.map((row, n): FrameCase => ({
      ...row,
      type: "frames",
      id: `${number}.${first + g}-${n + 1}`,
      rfc,
      rule,
    }))
  );
  return { number, name, cases };
}

/** Expects these messages and Pongs. */
export function echo(...events: Sent[]): readonly Expected[] {
  return [{ type: "echo", events }];
}

/** Expects the connection to fail, with one of these codes. */
export function failure(codes: number | readonly number[], ...before: Sent[]): readonly Expected[] {
  return [{ type: "failure", codes: [codes].flat(), before }];
}

/** Expects a Close with one of these codes. */
export function closing(
  codes: number | undefined | readonly (number | undefined)[],
  ...before: Sent[]
): readonly Expected[] {
  return [{ type: "close", codes: [codes].flat(), before }];
}

const encoder = new TextEncoder();

function sent(type: Sent["type"]): (data: string | Uint8Array) => Sent {
  return (data) => ({ type, data: typeof data === "string" ? encoder.encode(data) : data });
}

/** A text message that comes. */
export const aText: (data: string | Uint8Array) => Sent = sent("text");
/** A binary message that comes. */
export const aBinary: (data: string | Uint8Array) => Sent = sent("binary");
/** A Pong that comes. */
export const aPong: (data: string | Uint8Array) => Sent = sent("pong");
