/**
 * The parts of HAR 1.2 (HTTP Archive) that a recording has.
 *
 * @module
 */

/** An HTTP archive. */
export interface Har {
  /** All of it. */
  readonly log: HarLog;
}

/** The content of the archive. */
export interface HarLog {
  /** The version of the format. */
  readonly version: "1.2";
  /** The program that recorded. */
  readonly creator: HarCreator;
  /** Requests with their responses, in the order in which they began. */
  readonly entries: readonly HarEntry[];
  /** A sentence for each connection of which something was left out. "" if nothing was. */
  readonly comment: string;
}

/** A program. */
export interface HarCreator {
  /** Its name. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** The runtime that it ran on, and its version. */
  readonly comment: string;
}

/** A request with its response. */
export interface HarEntry {
  /** When it began, in UTC. */
  readonly startedDateTime: string;
  /** The sum of the timings, in milliseconds. */
  readonly time: number;
  /** The request of the client. */
  readonly request: HarRequest;
  /** The response of the server. */
  readonly response: HarResponse;
  /** Always empty: no cache was looked at. */
  readonly cache: Readonly<Record<string, never>>;
  /** The time that each part took. */
  readonly timings: HarTimings;
  /** Undefined if the recording has no IP address of the server. */
  readonly serverIPAddress?: string;
  /** The number of the connection in the recording. */
  readonly connection: string;
  /** `"websocket"` if it has led to that, as browsers say it. */
  readonly _resourceType?: "websocket";
  /** The messages of a WebSocket, as browsers have them, in the order of their times. */
  readonly _webSocketMessages?: readonly HarWebSocketMessage[];
  /** A note about the entry, or "". */
  readonly comment: string;
}

/** A message of a WebSocket. */
export interface HarWebSocketMessage {
  /** The sender: `"send"` is the client. */
  readonly type: "send" | "receive";
  /** When its last byte was sent, in seconds since 1970. */
  readonly time: number;
  /** 1 for text, 2 for bytes. */
  readonly opcode: number;
  /** The text, or the bytes in base64. */
  readonly data: string;
  /** Why the data was left out. */
  readonly comment?: string;
}

/** A name with a value: of a header field, a cookie, or a part of a query. */
export interface HarPair {
  /** Its name, as it was sent. */
  readonly name: string;
  /** Its value. */
  readonly value: string;
}

/** A request. */
export interface HarRequest {
  /** The method. */
  readonly method: string;
  /** The absolute URL. */
  readonly url: string;
  /** `HTTP/1.0` or `HTTP/1.1`. */
  readonly httpVersion: string;
  /** The cookies in the header fields. */
  readonly cookies: readonly HarPair[];
  /** The header fields, in their order. */
  readonly headers: readonly HarPair[];
  /** The parts of the query, decoded. */
  readonly queryString: readonly HarPair[];
  /** Undefined if there is no body. */
  readonly postData?: HarPostData;
  /** In bytes, with the empty line at the end. */
  readonly headersSize: number;
  /** In bytes, decoded from chunks. */
  readonly bodySize: number;
}

/** The body of a request. */
export interface HarPostData {
  /** The value of Content-Type, or "". */
  readonly mimeType: string;
  /** The body. */
  readonly text: string;
  /** There if the text is base64, since the body is not UTF-8. HAR 1.2 has no field for that. */
  readonly _encoding?: "base64";
  /** There if the body is left out: it is too long. */
  readonly comment?: string;
}

/** A response. Status 0 means that no response was recorded. */
export interface HarResponse {
  /** The status code. */
  readonly status: number;
  /** The reason phrase. */
  readonly statusText: string;
  /** `HTTP/1.0` or `HTTP/1.1`. */
  readonly httpVersion: string;
  /** The cookies that it sets. */
  readonly cookies: readonly HarPair[];
  /** The header fields, in their order. */
  readonly headers: readonly HarPair[];
  /** The body. */
  readonly content: HarContent;
  /** The value of Location, or "". */
  readonly redirectURL: string;
  /** In bytes, with the empty line at the end; -1 if there is no response. */
  readonly headersSize: number;
  /** In bytes, decoded from chunks; -1 if there is no response. */
  readonly bodySize: number;
}

/** The body of a response. */
export interface HarContent {
  /** In bytes, without content codings. */
  readonly size: number;
  /** There if it was decoded: how many bytes its coding has saved. */
  readonly compression?: number;
  /** The value of Content-Type, or "". */
  readonly mimeType: string;
  /** The body. Undefined without one. */
  readonly text?: string;
  /** There if the text is base64, since the content is not UTF-8 or could not be decoded. */
  readonly encoding?: "base64";
  /** There if the body has a content coding, such as gzip: whether it was decoded, or why not; and if it is left out. */
  readonly comment?: string;
}

/** Times in milliseconds; -1 for what does not apply. */
export interface HarTimings {
  /** Connecting; -1 but for the first request of a connection that was made. */
  readonly connect: number;
  /** Sending the request. */
  readonly send: number;
  /** Waiting for the first byte of the response. */
  readonly wait: number;
  /** Receiving the response. */
  readonly receive: number;
}
