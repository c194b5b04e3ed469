/**
 * The HTTP of a recording as an HTTP archive (HAR 1.2), which the developer tools of browsers open.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { parseScopedIP } from "../../base/ip.ts";
import type { RequestHead } from "../../http/message/request_head.ts";
import { checkRecording } from "../arguments.ts";
import { connectionsOf, type RecordedConnection } from "../connections.ts";
import type { Recording } from "../format.ts";
import { ContentDecoder } from "./content_decoder.ts";
import { BodyTexts } from "./body_texts.ts";
import { type Exchange, exchangesOf, isWebSocket, type Message } from "./exchanges.ts";
import type { Har, HarContent, HarEntry, HarPair, HarRequest, HarResponse } from "./format.ts";
import { webSocketMessages } from "./websocket.ts";
import { type SentStream, streamOf } from "./sent_stream.ts";

/**
 * Makes an HTTP archive of the requests and responses of a recording. Connections that are not
 * HTTP/1.0 or 1.1 are left out, and a comment says so. Of a relay, the side of the clients is
 * shown.
 */
export function toHar(recording: Recording): Har {
  checkRecording("toHar", recording);
  const { head } = recording;
  const [name, version = ""] = head.program.split(" ");
  const bodies = { decoder: new ContentDecoder(), texts: new BodyTexts() };
  const archives = shown(connectionsOf(recording))
    .map((connection) => archiveOf(connection, head, bodies));
  const entries = archives.flatMap(({ entries }) => entries);
  return {
    log: {
      version: "1.2",
      creator: { name, version, comment: head.runtime },
      entries: entries.sort((a, b) =>
        Date.parse(a.startedDateTime) - Date.parse(b.startedDateTime)
      ),
      comment: archives.flatMap(({ comment }) => comment ?? []).join(" "),
    },
  };
}

/** The connections without those whose bytes another one has, too. */
function shown(connections: readonly RecordedConnection[]): RecordedConnection[] {
  const namesOf = ({ client, server }: RecordedConnection) => `${client} ${server}`;
  const accepted = new Set(
    connections.filter(({ recorded }) => recorded === "server").map(namesOf),
  );
  return connections.filter((connection) => {
    const { datagrams, opened, recorded, peer } = connection;
    if (datagrams || opened === undefined) return false;
    return recorded === "server" || peer === undefined && !accepted.has(namesOf(connection));
  });
}

/** The maker of one archive's bodies, within its limits. */
interface Bodies {
  readonly decoder: ContentDecoder;
  readonly texts: BodyTexts;
}

interface Archive {
  readonly entries: HarEntry[];
  readonly comment: string | undefined;
}

function archiveOf(
  connection: RecordedConnection,
  { started }: Recording["head"],
  bodies: Bodies,
): Archive {
  const [up, down] = [streamOf("client", connection), streamOf("server", connection)];
  const { exchanges, leftOut } = exchangesOf(up, down);
  const silent = up.bytes.length === 0 && up.missing > 0;
  const why = silent ? "its data was not recorded" : leftOut;
  const what = exchanges.length === 0 ? "is not shown" : "is not shown as a whole";
  const zero = Date.parse(started);
  return {
    entries: exchanges.map((exchange, index) =>
      entryOf({ connection, exchange, up, down, zero, first: index === 0, bodies })
    ),
    comment: why === undefined ? undefined : `Connection ${connection.number} ${what}: ${why}.`,
  };
}

/** The parts of an entry. */
interface Parts {
  readonly connection: RecordedConnection;
  readonly exchange: Exchange;
  readonly up: SentStream;
  readonly down: SentStream;
  /** The time at which the recording started, in milliseconds since 1970. */
  readonly zero: number;
  readonly first: boolean;
  readonly bodies: Bodies;
}

function entryOf({ connection, exchange, up, down, zero, first, bodies }: Parts): HarEntry {
  const { request, response, interim } = exchange;
  const { recorded, opened, began, number, server } = connection;
  const sending = up.timeAt(request.start);
  const sent = Math.max(sending, up.timeAt(request.end - 1));
  const answered = response === undefined ? sent : Math.max(sent, down.timeAt(response.start));
  const received = response === undefined
    ? answered
    : Math.max(answered, down.timeAt(response.end - 1));
  const connects = first && recorded === "client" && opened !== undefined;
  const timings = {
    connect: connects ? opened - began : -1,
    send: sent - sending,
    wait: answered - sent,
    receive: received - answered,
  };
  const socket = isWebSocket(exchange)
    ? webSocketMessages(exchange, up, down, zero, bodies.texts)
    : undefined;
  const start = connects ? Math.max(0, sending - timings.connect) : sending;
  const address = server.replace(/^\[?(.*?)\]?:\d+$/, "$1");
  return {
    startedDateTime: new Date(Math.max(0, zero + start)).toISOString(),
    time: Math.max(0, timings.connect) + timings.send + timings.wait + timings.receive,
    request: requestOf(request, connection, bodies),
    response: responseOf(response, bodies),
    cache: {},
    timings,
    ...parseScopedIP(address) === undefined || address.includes("%")
      ? {}
      : { serverIPAddress: address },
    connection: String(number),
    ...socket && { _resourceType: "websocket", _webSocketMessages: socket.messages },
    comment: [
      interim.length === 0 ? "" : `Before the response came ${interim.join(", ")}.`,
      response === undefined ? "No response was recorded." : "",
      request.fault === undefined ? "" : `The request: ${request.fault}.`,
      response?.fault === undefined ? "" : `The response: ${response.fault}.`,
      socket?.fault === undefined ? "" : `Not all messages are there: ${socket.fault}.`,
    ].filter(Boolean).join(" "),
  };
}

function requestOf(
  { head, start, bodyStart, body }: Message<RequestHead>,
  connection: RecordedConnection,
  { texts }: Bodies,
): HarRequest {
  const { method, target, minor } = head;
  const headers = pairsOf(head.headers);
  const query = target.indexOf("?");
  const mimeType = valueOf(headers, "content-type");
  const { text = "", encoding, comment } = texts.of(body);
  return {
    method,
    url: urlOf(head, headers, connection),
    httpVersion: `HTTP/1.${minor}`,
    cookies: headers.filter(isNamed("cookie")).flatMap(({ value }) => cookiesOf(value.split(";"))),
    headers,
    queryString: query < 0
      ? []
      : [...new URLSearchParams(target.slice(query))].map(([name, value]) => ({ name, value })),
    ...body.length === 0 ? {} : {
      postData: {
        mimeType,
        text,
        ...encoding && { _encoding: encoding },
        ...comment && { comment },
      },
    },
    headersSize: bodyStart - start,
    bodySize: body.length,
  };
}

function responseOf(message: Exchange["response"], bodies: Bodies): HarResponse {
  if (message === undefined) {
    return {
      status: 0,
      statusText: "",
      httpVersion: "",
      cookies: [],
      headers: [],
      content: { size: 0, mimeType: "" },
      redirectURL: "",
      headersSize: -1,
      bodySize: -1,
    };
  }
  const { head, start, bodyStart, body } = message;
  const headers = pairsOf(head.headers);
  return {
    status: head.status,
    statusText: head.reason,
    httpVersion: `HTTP/1.${head.minor}`,
    cookies: headers.filter(isNamed("set-cookie"))
      .flatMap(({ value }) => cookiesOf(value.split(";", 1))),
    headers,
    content: contentOf(body, headers, bodies),
    redirectURL: valueOf(headers, "location"),
    headersSize: bodyStart - start,
    bodySize: body.length,
  };
}

function contentOf(
  body: Buffer,
  headers: readonly HarPair[],
  { decoder, texts }: Bodies,
): HarContent {
  const codings = headers.filter(isNamed("content-encoding")).map(({ value }) => value).join(", ");
  const { content, isCoded, comment } = decoder.decode(body, codings);
  const { text, encoding, comment: leftOut = "" } = texts.of(content, isCoded);
  const comments = [comment, leftOut].filter((one) => one !== "");
  return {
    size: content.length,
    mimeType: valueOf(headers, "content-type"),
    ...text === undefined ? {} : { text },
    ...encoding === undefined ? {} : { encoding },
    ...content === body ? {} : { compression: content.length - body.length },
    ...comments.length === 0 ? {} : { comment: comments.join(" ") },
  };
}

/** The absolute URL of a request (RFC 9112 section 3.3). */
function urlOf(
  { method, target }: RequestHead,
  headers: readonly HarPair[],
  { server, steps }: RecordedConnection,
): string {
  const scheme = steps.some(({ kind }) => kind === "tls") ? "https" : "http";
  if (method === "CONNECT") return absolute(`${scheme}://${target}`) ?? `${scheme}://localhost`;
  const path = target === "*" ? "" : target;
  return absolute(target) ?? absolute(`${scheme}://${valueOf(headers, "host") || "?"}${path}`) ??
    absolute(`${scheme}://${server}${path}`) ?? absolute(`${scheme}://localhost${path}`) ??
    `${scheme}://localhost`;
}

function absolute(url: string): string | undefined {
  return /^https?:\/\/[^/?#]/i.test(url) && URL.canParse(url) ? url : undefined;
}

/** Names and values by turns, as pairs. */
function pairsOf(headers: readonly string[]): HarPair[] {
  return headers.flatMap((name, index) =>
    index % 2 === 0 ? [{ name, value: headers[index + 1] }] : []
  );
}

function isNamed(wanted: string): (pair: HarPair) => boolean {
  return ({ name }) => name.toLowerCase() === wanted;
}

function valueOf(headers: readonly HarPair[], name: string): string {
  return headers.find(isNamed(name))?.value ?? "";
}

/** Cookies have a name; a redacted field has none. */
function cookiesOf(parts: readonly string[]): HarPair[] {
  return parts.flatMap((part) => {
    const at = part.indexOf("=");
    return at < 0 ? [] : [{ name: part.slice(0, at).trim(), value: part.slice(at + 1).trim() }];
  });
}
