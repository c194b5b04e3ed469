/**
 * The output of `get -v`: the messages as curl shows them, and the times of the steps.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import { counted } from "../../../base/counted.ts";
import type { HttpHead } from "../../../http/client/options.ts";
import type { ClientResponse } from "../../../http/client/response.ts";
import type { Transcript } from "../../io/log.ts";

/** The steps of the connection. */
export function connectionTranscript(): Transcript {
  return (event) => {
    switch (event.type) {
      case "resolve":
        // An address is what it is.
        if (event.addrs.some(({ host }) => host === event.endpoint.host)) return [];
        return [`* ${event.endpoint.host} is ${event.addrs.map(({ host }) => host).join(", ")}`];
      case "connect":
        return [`*   Trying ${formatAddr(event.endpoint)}...`];
      case "connected":
        return [
          `* Connected to ${formatAddr(event.remoteAddr)} from ${formatAddr(event.localAddr)}`,
        ];
      case "handshake": {
        const alpn = event.alpnProtocol === undefined ? "" : `, ${event.alpnProtocol}`;
        return [`* TLS handshake done: ${event.protocol ?? "TLS"}${alpn}`];
      }
      case "error":
        return event.error.code === "ECANCELED" ? [] : [`* ${event.error.message}`];
      case "close":
        return ["* Closing the connection"];
      default:
        return [];
    }
  };
}

/** A head: `> ` before what is sent, `< ` before what is received. */
export function headLines({ type, startLine, headers }: HttpHead): string[] {
  const mark = type === "request" ? ">" : "<";
  return [...textOf(startLine, headers).map((line) => `${mark} ${line}`), mark];
}

/** The lines of a head, without the empty one at its end. */
export function textOf(startLine: string, headers: readonly string[]): string[] {
  const lines = [startLine];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return lines;
}

/** When what was done, for `--timing`. */
export function timingReport(
  { url, status, timing, headBytes, bodyBytes }: ClientResponse,
): { lines: string[]; json: Record<string, unknown> } {
  const { redirect, resolve, connect, tls, firstByte, total } = timing;
  const ms = (time: number | undefined) => time === undefined ? "-" : `${time.toFixed(1)} ms`;
  const rows: [string, string][] = [
    ...(redirect > 0 ? [["redirects", ms(redirect)] as [string, string]] : []),
    ["resolve", ms(resolve)],
    ["connect", ms(connect)],
    ["tls", ms(tls)],
    ["first byte", ms(firstByte)],
    ["total", ms(total)],
    ["head", counted(headBytes, "byte")],
    ["body", counted(bodyBytes, "byte")],
  ];
  const rounded = Object.fromEntries(
    Object.entries(timing).map(([name, time]) => [
      name,
      time === undefined ? null : Math.round(time * 1000) / 1000,
    ]),
  );
  return {
    lines: rows.map(([name, value]) => `${name.padEnd(10)} ${value.padStart(12)}`),
    json: { event: "timing", url, status, ...rounded, headBytes, bodyBytes },
  };
}
