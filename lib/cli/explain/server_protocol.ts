/**
 * The protocol of a server: it is asked once, by the first message of TLS, at the address that the
 * user has named.
 *
 * @module
 */

import type { TcpAddr } from "../../base/addr.ts";
import type { Transport } from "../../net/transport.ts";
import { ALERT, CLIENT_HELLO, clientHello, HANDSHAKE, SERVER_HELLO } from "./client_hello.ts";

/** The result of asking. */
export type Speech =
  | { readonly type: "tls" }
  /** It answers with the status line of HTTP. */
  | { readonly type: "http"; readonly data: Uint8Array }
  /** It sends back what it gets. */
  | { readonly type: "echo" }
  /** It says something else. */
  | { readonly type: "other"; readonly data: Uint8Array }
  /** It has ended the connection without a word. */
  | { readonly type: "closed" }
  /** It has said nothing so far. */
  | { readonly type: "silent" };

/** The most bytes of an answer that are kept: they are enough. */
const ENOUGH = 256;

/** Asks. Resolves at the latest when `signal` is aborted, and rejects if it does not connect. */
export async function speechOf(
  transport: Transport,
  addr: TcpAddr,
  servername: string,
  signal: AbortSignal,
): Promise<Speech> {
  const conn = await transport.connect({ ...addr, signal });
  const close = () => conn.close();
  signal.addEventListener("abort", close);
  if (signal.aborted) close();
  const answer = new Uint8Array(ENOUGH);
  let size = 0;
  try {
    await conn.write(clientHello(servername));
    while (size < ENOUGH) {
      const n = await conn.read(answer.subarray(size));
      if (n === null) break;
      size += n;
      const speech = parse(answer.subarray(0, size));
      if (speech !== undefined) return speech;
    }
  } catch {
    // Reset, or closed by the signal: what has come so far is the answer.
  } finally {
    signal.removeEventListener("abort", close);
    conn.close();
  }
  if (size > 0) return { type: "other", data: answer.subarray(0, size) };
  return { type: signal.aborted ? "silent" : "closed" };
}

/** The speech that begins so; undefined if more is needed to tell. */
function parse(data: Uint8Array): Speech | undefined {
  const [type, major] = data;
  if (type === ALERT && major === 3 && data.length >= 2) return { type: "tls" };
  if (type === HANDSHAKE) {
    if (data.length < 6) return undefined;
    if (major === 3 && data[5] === SERVER_HELLO) return { type: "tls" };
    if (major === 3 && data[5] === CLIENT_HELLO) return { type: "echo" };
  }
  if (type === ALERT && data.length < 2) return undefined;
  const start = new TextDecoder("latin1").decode(data.subarray(0, 5));
  if (start === "HTTP/") return { type: "http", data };
  if ("HTTP/".startsWith(start)) return undefined;
  return { type: "other", data };
}
