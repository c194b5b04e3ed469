/**
 * The decision of a server about who may connect.
 *
 * @module
 */

import type { Addr, UdpAddr } from "../base/addr.ts";

/** Decides who may connect; {@linkcode AccessList} is one. Its methods must not throw. */
export interface Admission {
  /**
   * Whether this peer may connect. Asked right after accept; who is refused is reset. Of a datagram,
   * whether it may be answered.
   */
  admit(remoteAddr: Addr | UdpAddr): boolean;
  /** A peer that was admitted is done. */
  release(remoteAddr: Addr | UdpAddr): void;
}
