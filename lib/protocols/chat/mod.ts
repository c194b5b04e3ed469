/**
 * A chat room as a handler for `serve()`: the clients of one port talk to each other, in lines, and
 * those of WebSockets with them.
 *
 * @module
 */

export { chat, chatRoom } from "./chat.ts";
export type { ChatRoom } from "./chat.ts";
export type { ChatEvent, ChatOptions } from "./room.ts";
export type { MessageConn } from "./voice.ts";
export type { ChatMessage } from "./words.ts";
