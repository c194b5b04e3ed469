/**
 * A chat room as a handler for `serve()`: the clients of one port talk to each other, in lines.
 *
 * @module
 */

export { chat } from "./chat.ts";
export type { ChatEvent, ChatOptions } from "./chat.ts";
