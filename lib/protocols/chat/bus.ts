/**
 * The contract of a bus, which carries a chat from server to server.
 *
 * @module
 */

/** A place in the lines that a bus keeps. */
export interface ChatPosition {
  /**
   * Names one sequence of lines. When a bus has lost what it kept, it begins another, whose name sorts
   * behind.
   */
  readonly epoch: string;
  /** The number of a line in that sequence: the first one is 1. 0 is in front of it. */
  readonly offset: number;
}

/** A line that somebody has said. */
export interface BusLine {
  /** Always `"said"`. */
  readonly type: "said";
  /** The id of the server that the client is connected to. */
  readonly server: string;
  /** The number of the client there. */
  readonly member: number;
  /** The number of the line among those of that server: it grows. */
  readonly number: number;
  /** The name of the client. */
  readonly name: string;
  /** Its text. */
  readonly text: string;
}

/** A client and when it took its name, in milliseconds since 1970. */
export type BusMember = readonly [name: string, since: number];

/**
 * A message between servers about the members of a room. `version` counts the changes of one
 * server, so that the others notice when they have missed one.
 */
export type BusPresence =
  | {
    readonly type: "joined";
    readonly server: string;
    readonly version: number;
    readonly name: string;
    readonly since: number;
  }
  | {
    readonly type: "left";
    readonly server: string;
    readonly version: number;
    readonly name: string;
  }
  | {
    readonly type: "renamed";
    readonly server: string;
    readonly version: number;
    readonly name: string;
    readonly newName: string;
    readonly since: number;
  }
  /** The server is there; sent every 5 s. */
  | { readonly type: "alive"; readonly server: string; readonly version: number }
  /** The server stops, and all its clients leave. */
  | { readonly type: "bye"; readonly server: string }
  /** Asks for the members of `of`; asks all servers for `alive` if that is "". */
  | { readonly type: "who"; readonly server: string; readonly of: string }
  /** All members of a server, in parts. */
  | {
    readonly type: "roster";
    readonly server: string;
    readonly version: number;
    readonly part: number;
    readonly parts: number;
    readonly members: readonly BusMember[];
  };

/** A message on a bus; it can be written as JSON. */
export type BusMessage = BusLine | BusPresence;

/** Whether what is published reaches the other servers. */
export type BusState = "up" | "down";

/** A receiver of the messages on a bus. */
export interface BusListener {
  /**
   * The position after which the kept lines begin for this listener. Default: they begin with the
   * oldest one. A bus that keeps nothing begins now.
   */
  readonly from?: ChatPosition;
  /** A message arrived. The listener checks it. `position` is that of a line that is kept. */
  onMessage(message: unknown, position: ChatPosition | undefined): void;
  /**
   * The kept lines that follow are those after `position`. Called first, and then whenever lines are
   * missing in front of the next one.
   */
  onStart?(position: ChatPosition): void;
  /** The bus has gone or come back. It is back when all kept lines up to then have arrived. */
  onState?(state: BusState): void;
}

/** A bus: a message that one server publishes arrives at all that subscribe. */
export interface Bus {
  /** Whether it reaches the other servers now. */
  readonly state: BusState;
  /** The number of lines that it keeps. 0 is none. */
  readonly history: number;
  /**
   * Whether it stays within this process, and so is never away. Guests on other buses have a part of
   * their server in their names: `guest1-k3f9`.
   */
  readonly isLocal: boolean;
  /**
   * Publishes a message. A bus that keeps lines delivers them to all servers in one order, the
   * publisher's own included. All else arrives at the other servers in the order in which it was
   * published, at most once.
   *
   * A line arrives at the publisher, too: at once if the bus keeps nothing, or is down. A bus that is
   * down delivers to nobody else, and keeps nothing to deliver later.
   *
   * Returns a promise if it takes time. It resolves with `"refused"` when a line is not kept and nobody
   * gets it, and rejects when it is unknown whether a line is kept.
   */
  publish(message: BusMessage): void | Promise<"refused" | void>;
  /** Subscribes. Returns a function that ends it. */
  subscribe(listener: BusListener): () => void;
}

/** Names the epoch that began so many milliseconds after 1970. */
export function epochOf(ms: number): string {
  return ms.toString(36).padStart(9, "0");
}
