/**
 * The parts of HAR 1.2 (HTTP Archive) that a recording has.
 *
 * @module
 */

/** An HTTP archive. */
export interface Har {
  readonly log: HarLog;
}

/** All that the archive has. */
export interface HarLog {
  readonly version: "1.2";
  /** The program that recorded. */
  readonly creator: { readonly name: string; readonly version: string; readonly comment: string };
  /** Requests with their responses, in the order in which they began. */
  readonly entries: readonly HarEntry[];
  /** What was left out, as a sentence for each connection; "" if nothing was. */
  readonly comment: string;
}

/** A request with its response. */
export interface HarEntry {
  /** When it began, in UTC. */
  readonly startedDateTime: string;
  /** The sum of the timings, in milliseconds. */
  readonly time: number;
  readonly request: HarRequest;
  readonly response: HarResponse;
  readonly cache: Readonly<Record<string, never>>;
  readonly timings: HarTimings;
  /** Undefined if the recording has no IP address of the server. */
  readonly serverIPAddress?: string;
  /** The number of the connection in the recording. */
  readonly connection: string;
  /** What is special about it, in words; "" for nothing. */
  readonly comment: string;
}

/** A name with a value: of a header field, a cookie, or a part of a query. */
export interface HarPair {
  readonly name: string;
  readonly value: string;
}

/** What a request has. */
export interface HarRequest {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  readonly cookies: readonly HarPair[];
  readonly headers: readonly HarPair[];
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
  readonly mimeType: string;
  readonly text: string;
  /** There if the text is base64, since the body is not UTF-8. HAR 1.2 has no field for that. */
  readonly _encoding?: "base64";
}

/** What a response has; status 0 means that none was recorded. */
export interface HarResponse {
  readonly status: number;
  readonly statusText: string;
  readonly httpVersion: string;
  readonly cookies: readonly HarPair[];
  readonly headers: readonly HarPair[];
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
  /** In bytes. */
  readonly size: number;
  readonly mimeType: string;
  readonly text?: string;
  /** There if the text is base64, since the body is not UTF-8 or has a content coding. */
  readonly encoding?: "base64";
  /** There if the body has a content coding, such as gzip, which is kept. */
  readonly comment?: string;
}

/** Times in milliseconds; -1 for what does not apply. */
export interface HarTimings {
  readonly connect: number;
  readonly send: number;
  readonly wait: number;
  readonly receive: number;
}
