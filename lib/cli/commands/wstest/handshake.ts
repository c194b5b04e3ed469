/**
 * The opening handshake, by hand (RFC 6455 section 4).
 *
 * @module
 */

import { createHash, randomBytes } from "node:crypto";
import type { RequestOptions } from "./case.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A new value of Sec-WebSocket-Key. */
export function newKey(): string {
  return randomBytes(16).toString("base64");
}

/** The value of Sec-WebSocket-Accept that belongs to a key. */
export function acceptOf(key: string): string {
  return createHash("sha1").update(key + GUID).digest("base64");
}

/** The fields of a request that asks for a WebSocket, with their values. */
export function requestFields({ host, key }: RequestOptions): Record<string, string> {
  return {
    Host: host,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Version": "13",
  };
}

/** The bytes of a request, as text. */
export function requestText(
  { target }: Pick<RequestOptions, "target">,
  fields: Readonly<Record<string, string>>,
  line: string = `GET ${target} HTTP/1.1`,
): string {
  return headText(line, fields);
}

/** A start line and fields as they go over the connection. */
export function headText(line: string, fields: Readonly<Record<string, string>>): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return [line, ...lines, "", ""].join("\r\n");
}

/** A response that was read. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Headers;
}

/** Takes the head of a response apart. Undefined if it is not HTTP. */
export function parseResponse(head: string): ResponseHead | undefined {
  const [line, ...fields] = head.split("\r\n");
  const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line) ?? [];
  const headers = parseFields(fields);
  return status === undefined || headers === undefined
    ? undefined
    : { status: Number(status), headers };
}

/** The fields of a head by name. Undefined if a line is not a field. */
export function parseFields(lines: readonly string[]): Headers | undefined {
  const headers = new Headers();
  try {
    for (const line of lines) {
      const colon = line.indexOf(":");
      headers.append(line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim());
    }
    return headers;
  } catch {
    return undefined;
  }
}

/** Whether a field has an item in its list, in any case. */
export function hasItem(headers: Headers, name: string, item: string): boolean {
  return (headers.get(name) ?? "").toLowerCase().split(",").some((one) => one.trim() === item);
}

/** Says what is wrong with a response that is to open a WebSocket (RFC 6455 section 4.1). */
export function faultOf({ status, headers }: ResponseHead, key: string): string | undefined {
  if (status !== 101) return `the status is ${status}`;
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return "Upgrade is not 'websocket'";
  if (!hasItem(headers, "connection", "upgrade")) return "Connection has no 'Upgrade'";
  if (headers.get("sec-websocket-accept") !== acceptOf(key)) return "Sec-WebSocket-Accept is wrong";
  return undefined;
}
