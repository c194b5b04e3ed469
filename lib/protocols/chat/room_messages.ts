/**
 * The messages of the room, in both forms: a line for terminals, and JSON for those who take
 * messages.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { ChatPosition } from "./bus.ts";

/** A message to a client that speaks in messages: the text of one of these, in JSON. */
export type ChatMessage =
  /** The first one: who the client is, and who else is there. */
  | {
    readonly type: "welcome";
    readonly name: string;
    /** At most 1000 names. */
    readonly others: readonly string[];
    /** The number of others beyond these. */
    readonly more?: number;
    /**
     * The position at which the client begins. Undefined if lines are not kept, or the bus has been
     * away so far.
     */
    readonly position?: ChatPosition;
  }
  /** The client is called something else now. */
  | { readonly type: "you"; readonly name: string }
  /** Somebody said something; the client hears its own words, too. */
  | {
    readonly type: "said";
    readonly name: string;
    readonly text: string;
    /** Its position: the client gives that when it comes back. Undefined if it is not kept. */
    readonly position?: ChatPosition;
  }
  | { readonly type: "joined"; readonly name: string }
  | { readonly type: "left"; readonly name: string }
  | { readonly type: "renamed"; readonly name: string; readonly newName: string }
  /** Many have come or gone at once: all who are here now, as in `welcome`. */
  | { readonly type: "people"; readonly names: readonly string[]; readonly more?: number }
  /** Lines are missing here. The next one that is kept is behind the position. */
  | { readonly type: "gap"; readonly position?: ChatPosition }
  /** A word of the server. */
  | { readonly type: "notice"; readonly text: string };

/** A message that is made into each form once, however many hear it. */
export class Word {
  readonly #message: ChatMessage;
  #line: Uint8Array | undefined;
  #json: string | undefined;

  constructor(message: ChatMessage) {
    this.#message = message;
  }

  /** Lines, each with its end. */
  get line(): Uint8Array {
    return this.#line ??= Buffer.from(`${lineOf(this.#message)}\n`);
  }

  get json(): string {
    return this.#json ??= JSON.stringify(this.#message);
  }
}

function lineOf(message: ChatMessage): string {
  switch (message.type) {
    case "welcome": {
      const others = listOf(message.others, message.more);
      const who = others === "" ? "Nobody else is here." : `Here are also: ${others}`;
      return `* You are ${message.name}; '/nick NAME' changes that.\n* ${who}`;
    }
    case "you":
      return `* You are ${message.name} now.`;
    case "said":
      return `${message.name}: ${message.text}`;
    case "joined":
      return `* ${message.name} is here.`;
    case "left":
      return `* ${message.name} has left.`;
    case "renamed":
      return `* ${message.name} is ${message.newName} now.`;
    case "people":
      return `* Many came or left. Here are now: ${listOf(message.names, message.more)}`;
    case "gap":
      return "* Some lines are missing here.";
    case "notice":
      return `* ${message.text}`;
  }
}

function listOf(names: readonly string[], more = 0): string {
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
