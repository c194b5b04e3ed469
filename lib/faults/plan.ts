/**
 * The parts of a fault plan: rules, which say what goes wrong on which connections.
 *
 * @module
 */

import type { Cidr } from "../base/ip.ts";

/** Towards the server, or towards the client. */
export type Direction = "up" | "down";

/** A place in what comes: after a number of bytes of a direction, or at a message of a WebSocket, from 1. */
export type Place = { readonly bytes: number } | { readonly message: number };

/**
 * When something happens: at a place, milliseconds after the start, or milliseconds after the next data
 * or end of the stream has come. The message, the data or the end then does not arrive.
 */
export type Moment =
  | Place
  | { readonly ms: number }
  | { readonly data: true; readonly ms: number };

/** The parameters of each fault. */
export interface FaultForms {
  /** The connection is not accepted, or not made. */
  readonly refuse: object;
  /** The connection is reset. */
  readonly reset: { readonly at: Moment };
  /** The connection is closed in good order. */
  readonly close: { readonly at: Moment };
  /** Nothing passes any more. */
  readonly stall: { readonly at: Moment };
  /** All bytes from a place on are lost, up to the end of the stream. */
  readonly truncate: { readonly at: Place };
  /** The byte at a place is another one; of a message it is the first one of the content. */
  readonly corrupt: { readonly at: Place };
  /** A message of a WebSocket is lost. */
  readonly drop: { readonly at: { readonly message: number } };
  /** All comes later: by `ms`, give or take `jitter` milliseconds. */
  readonly delay: { readonly ms: number; readonly jitter: number };
  /** The most bytes a second; 0 lets nothing pass. */
  readonly rate: { readonly bytes: number };
  /** The most bytes at once, give or take `variation`, with `pause` milliseconds between. */
  readonly split: {
    readonly bytes: number;
    readonly variation: number;
    readonly pause: number;
  };
  /** The end of the stream comes `ms` milliseconds later. */
  readonly slowclose: { readonly ms: number };
  /** Bytes that come within `ms` milliseconds arrive at once. */
  readonly coalesce: { readonly ms: number };
  /** Datagrams are lost with this probability. */
  readonly loss: { readonly probability: number };
  /** Datagrams come twice with this probability. */
  readonly dup: { readonly probability: number };
  /** Datagrams are overtaken by the next one with this probability. */
  readonly reorder: { readonly probability: number };
}

/** The name of a fault. */
export type FaultName = keyof FaultForms;

/** One thing that goes wrong. */
export type Fault = { [N in FaultName]: { readonly name: N } & FaultForms[N] }[FaultName];

/** The connections that a rule is for: those to which all its parts apply. */
export interface Selection {
  /** Their numbers, from 1 in the order in which they were made. Undefined for all. */
  readonly numbers: readonly number[] | undefined;
  /** Every so many of them: 3 is for the third, the sixth… Undefined for all. */
  readonly every: number | undefined;
  /** The networks that the peer is in. Undefined for all. */
  readonly from: readonly Cidr[] | undefined;
  /** The probability that a connection is chosen, from 0 to 1. Undefined for all. */
  readonly chance?: number;
}

/** Some faults, and what they are for. */
export interface FaultRule {
  /** The connections that it is for. */
  readonly selection: Selection;
  /** The direction that it is for. Undefined for both. */
  readonly direction: Direction | undefined;
  /** The faults of these connections. */
  readonly faults: readonly Fault[];
  /**
   * Whether they come on top of the same faults of rules before: delays add up, and the lowest rate
   * counts. Default: of the same fault, that of the first rule counts.
   */
  readonly stacks?: boolean;
}

/** The rules, in order. */
export type FaultPlan = readonly FaultRule[];

/** The faults of one direction of one connection. */
export type Faults = readonly Fault[];
