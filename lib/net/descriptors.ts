/**
 * Whether the last file descriptor of this process is taken. Node needs to
 * know: while none is left, libuv accepts each client and closes it, and reports nothing.
 *
 * @module
 */

import { descriptorLimit } from "../base/descriptor_limit.ts";
import { SocketError } from "../base/errors.ts";
import type { Addr } from "../base/addr.ts";

/** A listener that can be made to fail. */
interface Failing {
  readonly addr: Addr;
  fail(error: SocketError): void;
}

let limit: number | undefined;

/** The listeners of this process. */
const listening = new Set<Failing>();

/** Makes `listener` reject with EMFILE when the last descriptor is taken. Returns a function that ends that. */
export function heedDescriptors(listener: Failing): () => void {
  limit ??= descriptorLimit() ?? Infinity;
  listening.add(listener);
  return () => void listening.delete(listener);
}

/** Whether a socket of Node's has the last one: the kernel gives the lowest that is free. */
export function hasLastDescriptor(socket: object): boolean {
  const { _handle: handle } = socket as { _handle?: { readonly fd?: number } | null };
  return limit !== undefined && handle?.fd !== undefined && handle.fd >= limit - 1;
}

/** Notifies all listeners that none is left. */
export function reportNoneLeft(): void {
  for (const listener of listening) {
    listener.fail(new SocketError("EMFILE", "accept", { addr: listener.addr }));
  }
}
