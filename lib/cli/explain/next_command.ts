/**
 * The next command to type, in the manner of the command that failed.
 *
 * @module
 */

import { type Endpoint, formatAddr } from "../../base/addr.ts";

/** See the module. Each is a sentence without its full stop. */
export interface Manner {
  /** The command that connects to another address. */
  at(addr: Endpoint): string;
  /** The flags for TLS. */
  readonly tls: string;
  /** The flags for no TLS. */
  readonly plain: string;
  /** Whether the command speaks HTTP, and nothing else. */
  readonly isHttp: boolean;
  /** Whether it knows the protocol of its server: then an answer that differs is not of another one. */
  readonly knowsServer: boolean;
  /** The command that sends an HTTP request to a server. */
  http(addr: Endpoint): string;
  /** The command that sends any bytes to a server. */
  bytes(addr: Endpoint): string;
  /** The command that sends datagrams to a server. */
  datagrams(addr: Endpoint): string;
}

/** An address as a shell takes it, where brackets are patterns. */
function quoted(addr: Endpoint): string {
  const text = formatAddr(addr);
  return text.startsWith("[") ? `'${text}'` : text;
}

/** The parts that differ between commands. */
type Own = Pick<Manner, "at" | "tls" | "plain">;

/** `called` is what the user has typed: the program, and the name of the command if that was typed. */
function ownOf(name: string, called: string): Own {
  switch (name) {
    case "connect":
    case "explain":
      return {
        at: (addr) => `Try: ${called} ${quoted(addr)}`,
        tls: "Try it with --tls",
        plain: "Try it without --tls",
      };
    case "get":
      return {
        at: (addr) => `Try: ${called} 'http://${formatAddr(addr)}/'`,
        tls: "Try the URL with https://",
        plain: "Try the URL with http://",
      };
    case "relay":
    case "replay":
      return {
        at: (addr) => `Try: --to ${quoted(addr)}`,
        tls: "Try: --to tls:HOST:PORT",
        plain: "Try: --to HOST:PORT",
      };
    default:
      return {
        at: ({ host, port }) => `Try: ${called} --host ${host} --port ${port}`,
        tls: "Try it with --tls",
        plain: "Try it without --tls",
      };
  }
}

/** The manner of a command: `client` is what to call the client, and `called` the command. */
export function mannerOf(client: string, called: string): Manner {
  const name = called.split(" ").at(-1) ?? "";
  return {
    ...ownOf(name, called),
    isHttp: name === "get",
    knowsServer: ["get", "replay"].includes(name),
    http: (addr) => `Try: ${client} get 'http://${formatAddr(addr)}/'`,
    bytes: (addr) => `Try: ${client} connect ${quoted(addr)}`,
    datagrams: (addr) => `Try: ${client} connect --udp ${quoted(addr)}`,
  };
}
