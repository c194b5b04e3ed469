/**
 * The command line of `connect`.
 *
 * @module
 */

import type { Framing } from "../../../frames/mod.ts";
import type { OnEof } from "../../../protocols/join.ts";
import { type CommandLine, commandLine, type CommandOptions } from "../../command.ts";
import { choice, needing, optional, seconds, toggle, type Values } from "../../io/flags.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import type { Destination } from "../../options/destination.ts";
import { INSTRUMENT_FLAGS, parseInstruments } from "../../options/instrument_flags.ts";
import { socketPath } from "../../options/socket_path.ts";
import { type DatagramPeer, parseDestinations } from "./destinations.ts";
import {
  CONNECT_TLS_FLAGS,
  isWebSocketUrl,
  parseWebSocket,
  refuseWebSocketFlags,
  WEB_SOCKET_FLAGS,
  type WebSocketTarget,
} from "./web_socket_options.ts";
import { checkFrames, FRAME_LIMIT_FLAG, framingFlag, framingOf } from "./framing_flag.ts";

const ON_EOF: readonly OnEof[] = ["half-close", "close", "wait"];

const FLAGS = {
  "on-eof": optional(
    choice(ON_EOF, "half-close", "what the end of one side does to the other; see below"),
  ),
  unix: socketPath("connect to this socket file, and not to HOST:PORT"),
  udp: toggle("send datagrams: each read of stdin is one", "u"),
  broadcast: needing("udp", toggle("let HOST be a broadcast address; all who answer are heard")),
  ...CONNECT_TLS_FLAGS,
  crlf: toggle("send each line end as CRLF, as many protocols want it", "C"),
  frame: framingFlag("send each line as a frame, and print each frame as a line"),
  "frame-limit": FRAME_LIMIT_FLAG,
  hex: toggle("print what is sent (>) and received (<) as a hex dump", "x"),
  probe: toggle("only tell which ports are open: HOST:PORT or HOST:FIRST-LAST", "z"),
  ...WEB_SOCKET_FLAGS,
  "connect-timeout": seconds(10, "to resolve the name and connect; 0 = no limit (default 10)"),
  "idle-timeout": seconds(0, "to wait with no byte moving; 0 = no limit (default 0)"),
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

/** The way that stdin and stdout are joined to the socket. */
export interface JoinChoice {
  /** The framing of messages. Undefined is bytes as they come. */
  readonly framing: Framing | undefined;
  /** Whether both directions are shown as a hex dump. */
  readonly hex: boolean;
  /** Whether each line end is sent as CRLF. */
  readonly crlf: boolean;
  /** The effect of one side's end on the other. */
  readonly onEof: OnEof | undefined;
  /** The idle timeout, in milliseconds; 0 for no limit. */
  readonly idleTimeout: number;
}

/** Options of `connect`. */
export interface ConnectOptions extends CommandOptions {
  /** Where to, if that is a WebSocket; then there are no destinations. */
  readonly webSocket: WebSocketTarget | undefined;
  /** Several for a probe only. */
  readonly destinations: readonly (Destination | DatagramPeer)[];
  /** Whether it only reports which of them take connections. */
  readonly probe: boolean;
  /** The time to connect, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number;
  readonly join: JoinChoice;
}

/** Makes the options of `connect`. */
function parseConnect(
  values: Values<typeof FLAGS>,
  positionals: string[],
): ConnectOptions {
  const { probe, hex, crlf, "connect-timeout": connectTimeout } = values;
  const { "on-eof": onEof, "idle-timeout": idleTimeout } = values;
  const webSocket = isWebSocketUrl(positionals) ? parseWebSocket(values, positionals) : undefined;
  if (webSocket === undefined) refuseWebSocketFlags(values);
  const destinations = webSocket ? [] : parseDestinations(values, positionals);
  checkFrames(values);
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { udp: values.udp }),
    webSocket,
    destinations,
    probe,
    connectTimeout,
    join: { framing: framingOf(values), hex, crlf, onEof, idleTimeout },
  };
}

/** The command line. */
export const CONNECT_LINE: CommandLine<ConnectOptions> = commandLine(FLAGS, parseConnect);
