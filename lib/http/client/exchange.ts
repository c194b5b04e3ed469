/**
 * One request over a connection of its own, up to the head of its response.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Clock } from "../../base/clock.ts";
import type { Conn, Transport } from "../../net/transport.ts";
import { HttpError } from "../message/errors.ts";
import { isStream } from "../server/response.ts";
import { restOf } from "../../net/rest_of_conn.ts";
import { ResponseBody, ResponseInput } from "./body.ts";
import { type ConnectSettings, connectTo } from "./connect.ts";
import { explained } from "./errors.ts";
import { membersOf } from "../message/fields.ts";
import { valueOf } from "../message/header_list.ts";
import { bodyLengthOf } from "../message/response_framing.ts";
import type { HttpHead } from "./options.ts";
import { ReceivedResponse, type ResponseSettings } from "./received_response.ts";
import {
  type ResponseHead,
  type ResponseHeadLimits,
  ResponseHeadParser,
} from "../message/response_head.ts";
import { fieldsOf, type Outgoing, requestLine } from "./request_head.ts";
import { Session } from "./session.ts";
import { Upload } from "./upload.ts";
import { withoutCredentials } from "../../base/url.ts";

/** Content up to this size leaves in one write with the head. */
const MOST_TOGETHER = 64 * 1024;

/** More interim responses than any server has a use for. */
const MOST_INTERIM = 16;

/** Options of {@linkcode exchange}. */
export interface ExchangeSettings extends ConnectSettings, ResponseSettings {
  readonly idleTimeout: number;
  readonly maxSize: number;
  readonly limits: ResponseHeadLimits;
  readonly onHead: (head: HttpHead) => void;
}

/** The result of a request. */
export interface Exchanged {
  readonly response: ReceivedResponse;
  /** The connection, if it speaks the protocol now that was asked for. */
  readonly conn: Conn | undefined;
}

/** Sends a request and waits for the head of its response. */
export async function exchange(
  transport: Transport,
  request: Outgoing,
  settings: ExchangeSettings,
): Promise<Exchanged> {
  const { signal, idleTimeout, clock, limits, onHead } = settings;
  const url = withoutCredentials(request.url);
  const { conn, timing } = await connectTo(transport, request.url, settings);
  const session = new Session(conn, signal, idleTimeout, clock);
  try {
    // Not awaited: a server may answer before it has read all, or without. If this fails, reading
    // says why.
    const sending = new Sending(send(session, request, onHead));
    const input = new ResponseInput(conn);
    const reading = readHead(input, new ResponseHeadParser(limits), request, clock, onHead);
    const { head, bytes, firstByte } = await session.wait(reading);
    const switched = head.status === 101;
    const length = switched ? 0 : bodyLengthOf(head, request.method);
    const body = new ResponseBody(input, length, settings.maxSize, limits.headerBytes);
    const marks = { ...timing, firstByte };
    const parts = { session, sending, body, marks, settings };
    const response = new ReceivedResponse(url, request.method, head, bytes, length, parts);
    return { response, conn: switched ? restOf(session.release(), input) : undefined };
  } catch (error) {
    session.close();
    throw session.upload?.failure ?? explained(error, url);
  }
}

/** The request on its way. */
class Sending {
  /** Resolves when all of it has left, or no more of it can. */
  readonly over: Promise<void>;
  done = false;

  constructor(work: Promise<void>) {
    const end = () => void (this.done = true);
    this.over = work.then(end, end);
  }
}

async function send(
  session: Session,
  request: Outgoing,
  onHead: (head: HttpHead) => void,
): Promise<void> {
  const { conn } = session;
  const { body = new Uint8Array(0), length } = request;
  const startLine = requestLine(request);
  const headers = fieldsOf(request);
  let text = `${startLine}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  const head = Buffer.from(`${text}\r\n`, "latin1");
  onHead({ type: "request", startLine, headers });
  if (isStream(body)) return await (session.upload = new Upload(body, length)).send(conn, head);
  if (body.length <= MOST_TOGETHER) return await conn.write(Buffer.concat([head, body]));
  await conn.write(head);
  await conn.write(body);
}

/** Reads up to the end of the head of the final response. */
async function readHead(
  input: ResponseInput,
  parser: ResponseHeadParser,
  { protocol }: Outgoing,
  clock: Clock,
  onHead: (head: HttpHead) => void,
): Promise<{ head: ResponseHead; bytes: number; firstByte: number }> {
  let bytes = 0;
  let firstByte: number | undefined;
  for (let interim = 0;;) {
    if (input.from === input.to && !await input.fill()) {
      if (bytes === 0) {
        throw new HttpError(502, "EMPTY_RESPONSE", "The server closed without a response");
      }
      throw new HttpError(502, "PARTIAL", "The server closed in the middle of the response's head");
    }
    firstByte ??= clock.now();
    const end = parser.parse(input.chunk, input.from, input.to);
    const behind = end === -1 ? input.to : end;
    bytes += behind - input.from;
    input.from = behind;
    if (end === -1) continue;
    const head = parser.take();
    const { minor, status, reason, headers } = head;
    onHead({
      type: "response",
      startLine: `HTTP/1.${minor} ${status} ${reason}`.trimEnd(),
      headers,
    });
    if (status === 101) checkSwitch(head, protocol);
    if (status >= 200 || status === 101) return { head, bytes, firstByte };
    if (++interim === MOST_INTERIM) {
      throw new HttpError(502, "BAD_STATUS", "The server sends interim responses without end");
    }
  }
}

/** Throws unless 101 leads to the protocol that was asked for (RFC 9110 section 7.8). */
function checkSwitch({ minor, headers }: ResponseHead, protocol: string | undefined): void {
  const membersIn = (name: string) =>
    membersOf(valueOf(headers, name) ?? "").map((member) => member.toLowerCase());
  const [to, ...more] = membersIn("upgrade");
  const asked = to === protocol?.toLowerCase() && more.length === 0;
  if (minor === 1 && asked && membersIn("connection").includes("upgrade")) return;
  const why = protocol === undefined ? "unasked" : `not to ${protocol}, which was asked for`;
  throw new HttpError(502, "BAD_STATUS", `The server switches to another protocol, ${why}`);
}
