/**
 * The transcripts of the classic tutorials, made from events.
 *
 * @module
 */

import { addressFamily, formatAddr } from "../../base/addr.ts";
import { factOf } from "../../base/errors.ts";
import type { SocketEvent } from "../../observe/events.ts";
import type { Addr, TcpAddr } from "../../base/addr.ts";
import type { Transcript } from "./log.ts";
import { quote } from "./quote.ts";

/**
 * The server's side. While there are several connections, each line begins with the number of its
 * own.
 */
export function serverTranscript(): Transcript {
  const open = new Map<number, Addr>();
  let listening = false;
  const waiting = () => listening && open.size === 0 ? ["waiting for a connection"] : [];
  return (event) => {
    const socket = "socket" in event ? event.socket : undefined;
    const peer = socket === undefined ? undefined : open.get(socket);
    const who = peer === undefined ? "" : formatAddr(peer);
    const mark = open.size > 1 ? `[${socket}] ` : "";
    switch (event.type) {
      case "listen":
        listening = true;
        return waiting();
      case "accept":
        open.set(event.socket, event.remoteAddr);
        return [
          `${open.size > 1 ? `[${event.socket}] ` : ""}connection from ${
            fromWhom(event.remoteAddr)
          }`,
        ];
      case "handshake":
        return describeTls(event).map((line) => `${mark}${line}`);
      case "recv":
        return [`${mark}received ${quote(event.data)}`];
      case "send":
        return [`${mark}sending data back to the client`];
      case "eof":
        return [`${mark}received ""`, `${mark}no more data from ${who}`];
      case "error":
        return [`${mark}${event.error.message}`];
      case "close":
        if (peer === undefined) {
          listening = false;
          return ["closing the listening socket"];
        }
        open.delete(event.socket);
        return [
          `${mark}${event.reset ? "resetting" : "closing"} the connection from ${who}`,
          ...waiting(),
        ];
      default:
        return [];
    }
  };
}

/** The server's side with datagrams. */
export function datagramTranscript(): Transcript {
  return (event) => {
    switch (event.type) {
      case "bind":
        return ["waiting for datagrams"];
      case "recv":
        return [`received ${quote(event.data)} from ${formatAddr(event.from!)}`];
      case "send":
        return [`sending data back to ${formatAddr(event.to!)}`];
      case "error":
        return [event.error.message];
      case "close":
        return ["closing the socket"];
      default:
        return [];
    }
  };
}

/**
 * The transcript of a server whose connections have to do with each other, those that it makes among
 * them: each line begins with the number of its own.
 */
export function switchboardTranscript(): Transcript {
  /** The addresses of the peers. */
  const peers = new Map<number, string>();
  const linesOf = (socket: number, event: SocketEvent): string | string[] => {
    const who = peers.get(socket);
    switch (event.type) {
      case "accept":
        peers.set(socket, formatAddr(event.remoteAddr));
        return `connection from ${fromWhom(event.remoteAddr)}`;
      case "connect":
        peers.set(socket, formatAddr(event.endpoint));
        return `trying ${formatAddr(event.endpoint)}`;
      case "connected":
        return `connected to ${formatAddr(event.remoteAddr)} from ${formatAddr(event.localAddr)}`;
      case "handshake":
        return describeTls(event);
      case "recv":
        return `received ${quote(event.data)}`;
      case "send":
        return `sending ${quote(event.data)}`;
      case "eof":
        return `no more data from ${who}`;
      case "shutdown":
        return `no more data for ${who}: half-closing`;
      case "error":
        return event.error.message;
      case "close":
        peers.delete(socket);
        if (who === undefined) return "closing the listening socket";
        return `${event.reset ? "resetting" : "closing"} the connection with ${who}`;
      default:
        return [];
    }
  };
  return (event) => {
    if (event.type === "listen") return ["waiting for connections"];
    if (!("socket" in event) || event.socket === undefined) {
      return event.type === "error" ? [event.error.message] : [];
    }
    return [linesOf(event.socket, event)].flat().map((line) => `[${event.socket}] ${line}`);
  };
}

/** The client's side. */
export function clientTranscript(): Transcript {
  return (event) => {
    switch (event.type) {
      case "resolve":
        return event.addrs.flatMap(describeCandidate);
      case "connect":
        return [`trying ${formatAddr(event.endpoint)}`];
      case "connected":
        return [`connected to ${formatAddr(event.remoteAddr)} from ${formatAddr(event.localAddr)}`];
      case "handshake":
        return describeTls(event);
      case "send":
        return [`sending ${quote(event.data)}`];
      case "recv":
        return [`received ${quote(event.data)}`];
      case "shutdown":
        return ["nothing more to send: half-closing"];
      case "eof":
        return ["no more data from the server"];
      case "error":
        return event.error.code === "ECANCELED"
          ? [`giving up on ${formatAddr(event.error.addr!)}: another address was faster`]
          : [factOf(event.error)];
      case "close":
        return [event.reset ? "resetting socket" : "closing socket"];
      default:
        return [];
    }
  };
}

/** A client, and the proxy that it came through. */
function fromWhom(addr: Addr): string {
  const { via } = addr as TcpAddr;
  return formatAddr(addr) + (via === undefined ? "" : ` via ${formatAddr(via)}`);
}

function describeTls(event: SocketEvent & { type: "handshake" }): string[] {
  const { protocol, alpnProtocol, peerCertificate } = event;
  const what = protocol ?? "TLS";
  const shaken = `shook hands: ${what}${
    alpnProtocol === undefined ? "" : `, to speak ${alpnProtocol}`
  }`;
  if (peerCertificate === undefined) return [shaken];
  const { subject, subjectAltName, issuer, validTo, fingerprint256 } = peerCertificate;
  const line = (text: string) => text.replaceAll("\n", ", ");
  return [
    shaken,
    "certificate of the peer:",
    `  Subject : ${line(subject)}`,
    ...subjectAltName === undefined ? [] : [`  For     : ${line(subjectAltName)}`],
    `  Issuer  : ${line(issuer)}`,
    `  Until   : ${validTo}`,
    `  SHA-256 : ${fingerprint256}`,
  ];
}

function describeCandidate(addr: TcpAddr, index: number): string[] {
  return [
    `candidate ${index + 1}: ${formatAddr(addr)}`,
    `  Family  : ${addressFamily(addr)}`,
    "  Type    : SOCK_STREAM",
    "  Protocol: IPPROTO_TCP",
  ];
}
