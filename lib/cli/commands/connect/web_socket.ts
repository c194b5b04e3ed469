/**
 * `connect ws://…`: joins stdin and stdout to a WebSocket.
 *
 * @module
 */

import { escapeText } from "../../../base/escape.ts";
import { counted } from "../../../base/counted.ts";
import { RequestError } from "../../../http/client/errors.ts";
import { dialWebSocket, type WsClose, type WsConn, WsError } from "../../../http/ws/mod.ts";
import type { Transport } from "../../../net/transport.ts";
import { join, type JoinOptions, type OnEof } from "../../../protocols/join.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import type { Session } from "../../session.ts";
import { BINARY, ByteConn } from "../../web_socket/byte_conn.ts";
import { LINES, linesOf, MOST_OF_LINE } from "./line_messages.ts";
import type { WebSocketTarget } from "./web_socket_options.ts";

/** The most bytes of a binary message. */
const MOST_OF_PIECE = 64 * 1024;

/** The close codes of a peer when all is well. */
const IN_ORDER: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** Options of {@linkcode converseInMessages}. */
export interface MessageChoice {
  readonly onEof: OnEof | undefined;
  /** The time to connect, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Shows what goes through, and takes what comes. */
  readonly ends: (source: AsyncIterable<Uint8Array>) => Pick<JoinOptions, "source" | "sink">;
  /** Aborted at Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Opens a WebSocket and joins it to stdin and stdout; resolves to the exit code. */
export async function converseInMessages(
  target: WebSocketTarget,
  transport: Transport,
  choice: MessageChoice,
  { log, io: { clock } }: Session,
): Promise<number> {
  const { stdin, onEof, signal } = choice;
  const ws = await open(target, transport, choice, clock);
  if (ws.protocol !== "") log.note(`the subprotocol is ${ws.protocol}`);
  if (target.deflate) log.note(`messages are ${ws.extensions === "" ? "not " : ""}compressed`);
  // Reading ends then, and that ends all.
  const leave = () => void ws.close(1001);
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave);
  const conn = new ByteConn(ws, { clock, form: target.binary ? BINARY : LINES });
  const source = lingering(target.binary ? piecesOf(stdin) : linesOf(stdin), async () => {
    if (onEof === "close") return;
    if (onEof === "wait") return void await ws.closed;
    await conn.quiet();
  });
  try {
    await join(conn, { ...choice.ends(source), onEof: "close", clock });
  } catch (error) {
    if (error instanceof WsError) throw new CliError(EXIT.receiveFailed, error.message);
    throw error;
  } finally {
    signal.removeEventListener("abort", leave);
  }
  const closed = await ws.closed;
  log.note(
    `sent ${counted(conn.bytesWritten, "byte")} and received ${conn.bytesRead}; ${inWords(closed)}`,
  );
  return closed.by === "self" || IN_ORDER.has(closed.code) ? EXIT.ok : EXIT.closedEarly;
}

async function open(
  { url, protocols, headers, pingInterval, deflate, tls }: WebSocketTarget,
  transport: Transport,
  { connectTimeout, signal }: MessageChoice,
  clock: Session["io"]["clock"],
): Promise<WsConn> {
  try {
    return await dialWebSocket(url, {
      transport,
      protocols,
      headers,
      tls,
      connectTimeout,
      handshakeTimeout: connectTimeout,
      pingInterval,
      deflate,
      maxSize: MOST_OF_LINE,
      signal,
      clock,
    });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const code = error.code === "BAD_STATUS" ? EXIT.refused : EXIT.receiveFailed;
    throw new CliError(code, error.message, { cause: error });
  }
}

/** Bytes in pieces that any server takes as a message. */
async function* piecesOf(stdin: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stdin) {
    for (let at = 0; at < chunk.length; at += MOST_OF_PIECE) {
      yield chunk.subarray(at, at + MOST_OF_PIECE);
    }
  }
}

/** A source that ends only when `linger` is done. */
async function* lingering(
  source: AsyncIterable<Uint8Array>,
  linger: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  yield* source;
  await linger();
}

function inWords({ code, reason, by }: WsClose): string {
  const who = by === "peer" ? "closed by the peer" : "closed";
  return `${who}: ${code}${reason === "" ? "" : ` ${escapeText(reason)}`}`;
}
