/**
 * The protocol of a server where a client spoke another one.
 *
 * @module
 */

import type { TcpAddr } from "../../base/addr.ts";
import { quote } from "../io/quote.ts";
import type { Cause } from "./connecting.ts";
import type { Manner } from "./next_command.ts";
import type { Speech } from "./server_protocol.ts";

/** Describes the answer of a server to TLS, as the words after "it". */
export function describeSpeech(speech: Speech): string {
  switch (speech.type) {
    case "tls":
      return "speaks TLS";
    case "http":
      return "answers with plain HTTP";
    case "echo":
      return "sends back what it gets";
    case "other":
      return `says ${quote(speech.data)}`;
    case "closed":
      return "closes the connection when TLS is spoken to it";
    case "silent":
      return "does not answer TLS";
  }
}

/** Why TLS failed at a server that speaks so. Undefined if it does speak TLS. */
export function whyNoTls(speech: Speech, addr: TcpAddr, manner: Manner): Cause | undefined {
  const { isHttp, plain } = manner;
  const next = isHttp && speech.type !== "http" ? manner.bytes(addr) : plain;
  switch (speech.type) {
    case "tls":
      return undefined;
    case "closed":
    case "silent":
      return { why: `The server ${describeSpeech(speech)}`, next };
    default:
      return { why: `The server speaks no TLS there: it ${describeSpeech(speech)}`, next };
  }
}

/** Why what was spoken without TLS failed. Undefined if that is not the reason. */
export function whyNotPlain(speech: Speech, { tls }: Manner): Cause | undefined {
  return speech.type === "tls" ? { why: "The server speaks TLS there", next: tls } : undefined;
}

/** Why HTTP failed at the server at `addr`, which speaks so. Undefined if that is not the reason. */
export function whyNoHttp(speech: Speech, addr: TcpAddr, manner: Manner): Cause | undefined {
  switch (speech.type) {
    case "http":
      return undefined;
    case "tls":
      return whyNotPlain(speech, manner);
    case "closed":
    case "silent":
      // So does a server of HTTP that is broken.
      return undefined;
    default: {
      const why = `The server speaks no HTTP there: it ${describeSpeech(speech)}`;
      return { why, next: manner.bytes(addr) };
    }
  }
}

/** Why what a server answered was not what the client expects. Undefined if that is not the reason. */
export function whyOtherAnswer(speech: Speech, addr: TcpAddr, manner: Manner): Cause | undefined {
  if (speech.type !== "http") return whyNotPlain(speech, manner);
  return { why: "The server speaks HTTP there", next: manner.http(addr) };
}
