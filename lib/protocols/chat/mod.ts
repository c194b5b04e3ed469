/**
 * A chat room as a handler for `serve()`: the clients of one port talk to each other, in lines, and
 * those of WebSockets with them.
 *
 * @module
 */

export type {
  Bus,
  BusLine,
  BusListener,
  BusMember,
  BusMessage,
  BusPresence,
  BusState,
  ChatPosition,
} from "./bus.ts";
export { chat, chatRoom } from "./chat.ts";
export { memoryBus } from "./memory_bus.ts";
export type { MemoryBusOptions } from "./memory_bus.ts";
export { natsBus } from "./nats_bus.ts";
export type { NatsBus, NatsBusOptions } from "./nats_bus.ts";
export type { ChatRoom } from "./chat.ts";
export type { ChatEvent, ChatOptions } from "./room.ts";
export type { MessageConn } from "./lines_or_messages.ts";
export type { ChatMessage } from "./room_messages.ts";
