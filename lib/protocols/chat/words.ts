/**
 * What the room says, in both forms: a line for terminals, and JSON for those who take messages.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** What a client of messages hears: the text of one of these, in JSON. */
export type ChatMessage =
  /** The first one: who the client is, and who else is there. */
  | { readonly type: "welcome"; readonly name: string; readonly others: readonly string[] }
  /** The client is called something else now. */
  | { readonly type: "you"; readonly name: string }
  /** Somebody said something; the client hears its own words, too. */
  | { readonly type: "said"; readonly name: string; readonly text: string }
  | { readonly type: "joined"; readonly name: string }
  | { readonly type: "left"; readonly name: string }
  | { readonly type: "renamed"; readonly name: string; readonly newName: string }
  /** A word of the server to this client only. */
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
      const others = message.others.join(", ");
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
    case "notice":
      return `* ${message.text}`;
  }
}
