/**
 * The sockets of a server behind proxies that say who its clients are.
 *
 * @module
 */

import { formatAddr } from "../../base/addr.ts";
import type { SocketError } from "../../base/errors.ts";
import { systemTransport } from "../../net/system.deno.ts";
import type { Transport } from "../../net/transport.ts";
import type { Log } from "../io/log.ts";
import { acceptProxyProtocol } from "../../proxy_protocol/mod.ts";
import type { ProxyOptions } from "./proxy_protocol.ts";

/**
 * Returns the system's sockets for a server behind `proxies`. Logs each connection that is refused.
 */
export function openSockets(proxies: ProxyOptions, log: Log): Transport {
  return acceptProxyProtocol(systemTransport, {
    ...proxies,
    onReject: (error) => log.note(whyRejected(error)),
  });
}

function whyRejected({ code, addr, message }: SocketError): string {
  if (code !== "EPERM" || addr === undefined) return message;
  return `refused ${formatAddr(addr)}: its address is not in --proxy-protocol`;
}
