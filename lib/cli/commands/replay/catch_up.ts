/**
 * Bringing the real server to where a client has left the recording.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Clock } from "../../../base/clock.ts";
import { SocketError } from "../../../base/errors.ts";
import type { Conn } from "../../../net/transport.ts";
import type { ReplayMiss } from "../../../replay/replays.ts";

/** The most bytes that are read at once. */
const SKIP_SIZE = 64 * 1024;

/** Limits of catching up. */
export interface CatchUpLimits {
  /** The time to catch up, in milliseconds; 0 for no limit. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * Sends to `target` what the client has sent. Each piece is sent when the target has sent as many bytes
 * as the client had got before it. These bytes are left out: the client has them from the recording. If
 * `settled` is not 0, only the bytes after the first `settled` ones are sent, and nothing is left out.
 * Rejects with a SocketError, with `target` reset, if the target does not send so much in time.
 */
export async function catchUp(
  target: Conn,
  { received, sent, settled }: ReplayMiss,
  { timeout, signal, clock }: CatchUpLimits,
): Promise<void> {
  const onAbort = () => target.reset(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  const cancel = timeout === 0 ? () => {} : clock.setTimer(timeout, () => {
    target.reset(behind(target, "ETIMEDOUT"));
  });
  try {
    if (settled > 0) {
      const all = Buffer.concat(received.map(({ bytes }) => bytes));
      return await target.write(all.subarray(settled));
    }
    let heard = 0;
    for (const { bytes, after } of received) {
      heard = await skip(target, heard, after);
      await target.write(bytes);
    }
    await skip(target, heard, sent);
  } catch (error) {
    target.reset();
    throw error;
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

/** Reads, and leaves out, up to `wanted` bytes of the stream, of which `heard` have come. */
async function skip(target: Conn, heard: number, wanted: number): Promise<number> {
  const buffer = new Uint8Array(Math.min(SKIP_SIZE, Math.max(0, wanted - heard)));
  while (heard < wanted) {
    const n = await target.read(buffer.subarray(0, wanted - heard));
    if (n === null) throw behind(target, "EPROTO");
    heard += n;
  }
  return heard;
}

function behind({ remoteAddr: addr }: Conn, code: "ETIMEDOUT" | "EPROTO"): SocketError {
  return new SocketError(code, "read", {
    addr,
    why: "it has sent fewer bytes than the recorded server",
    next: "Record the whole connection again, or compare with --match http if it is HTTP.",
  });
}
