/**
 * The state of one connection of an HTTP server, without a socket, a byte or a clock in it: what has
 * come of a request, what has been sent of its response, and whether another request may follow (RFC
 * 9112 section 9). Two tables say what may follow what; {@linkcode ConnectionState} couples them.
 *
 * @module
 */

/** A table of states: the next state for each event. An event that is not there is a mistake. */
export type Table<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>;

/** The state of the bytes from the client. */
export type Reading =
  /** Nothing of a request has come. */
  | "idle"
  /** A part of a head. */
  | "head"
  /** A head, and the client waits for 100 before it sends the body (RFC 9110 section 10.1.1). */
  | "expecting"
  /** A head, and not yet all of the body. */
  | "body"
  /** The whole request. */
  | "done"
  /** The whole request, and what follows is of another protocol. */
  | "switched"
  /** The end of the stream, where a request might have begun. */
  | "closed"
  /** Nothing came in time: what comes now is too late. */
  | "expired"
  /** Input that is not a request, or is not whole: bytes that come now cannot be understood. */
  | "broken";

/** The events of {@linkcode Reading}. */
export type ReadingEvent =
  /** The first bytes of a head have come, and not all of it. */
  | "begin"
  /** A head has come, and no body follows. */
  | "request"
  /** A head has come, and a body follows. */
  | "requestWithBody"
  /** A head has come, and a body follows after 100. */
  | "requestExpecting"
  /** The body is wanted. */
  | "proceed"
  /** The body has come to its end. */
  | "bodyEnd"
  /** The client has closed its side. */
  | "close"
  /** The next request may come. */
  | "next"
  /** Another protocol begins. */
  | "switch"
  /** The time for a head or a body is over. */
  | "expire"
  /** Something is wrong with what came, or with the connection. */
  | "fail";

/** The table of {@linkcode Reading}. */
export const READING: Table<Reading, ReadingEvent> = {
  idle: {
    begin: "head",
    request: "done",
    requestWithBody: "body",
    requestExpecting: "expecting",
    close: "closed",
    fail: "broken",
  },
  head: {
    request: "done",
    requestWithBody: "body",
    requestExpecting: "expecting",
    close: "closed",
    expire: "expired",
    fail: "broken",
  },
  expecting: { proceed: "body", bodyEnd: "done", fail: "broken" },
  body: { bodyEnd: "done", expire: "expired", fail: "broken" },
  done: { next: "idle", switch: "switched", fail: "broken" },
  switched: { fail: "broken" },
  closed: { fail: "broken" },
  expired: { fail: "expired" },
  broken: { fail: "broken" },
};

/** The state of the bytes to the client. */
export type Writing =
  /** Nothing, and nothing is to be sent. */
  | "idle"
  /** Nothing of the response was sent. */
  | "owed"
  /** The head of the response, and not yet all of its content. */
  | "content"
  /** Only a response that says what is wrong with the input can be sent. */
  | "refusing"
  /** The whole response. */
  | "done"
  /** 101, and what follows is of another protocol. */
  | "switched"
  /** The last response, and the end of the stream. */
  | "closed"
  /** A response that never becomes whole, or is of no use any more. */
  | "broken";

/** The events of {@linkcode Writing}. */
export type WritingEvent =
  /** A request has come. */
  | "request"
  /** The head of a response is sent, and content follows. */
  | "head"
  /** The last byte of the content is sent. */
  | "contentEnd"
  /** A whole response is sent. */
  | "whole"
  /** The input is to be refused, whether it was a request or not. */
  | "refuse"
  /** The next request may come. */
  | "next"
  /** 101 is sent, and another protocol begins. */
  | "switch"
  /** This side is closed; what comes is still received for a while. */
  | "close"
  /** Nothing more can be sent, or needs to be. */
  | "fail";

/** The table of {@linkcode Writing}. */
export const WRITING: Table<Writing, WritingEvent> = {
  idle: { request: "owed", refuse: "refusing", fail: "broken" },
  owed: {
    head: "content",
    whole: "done",
    switch: "switched",
    refuse: "refusing",
    fail: "broken",
  },
  refusing: { whole: "done", fail: "broken" },
  content: { contentEnd: "done", fail: "broken" },
  done: { next: "idle", close: "closed", fail: "broken" },
  switched: { fail: "broken" },
  closed: { fail: "broken" },
  broken: { fail: "broken" },
};

/** A state, linked to those that follow it, so that an event costs a request next to nothing. */
type Linked<State extends string, Event extends string> =
  & { readonly state: State }
  & { readonly [event in Event]?: Linked<State, Event> };

/** Links the states of a table. All of them get all events, since objects alike are read faster. */
function linked<State extends string, Event extends string>(
  table: Table<State, Event>,
): Readonly<Record<State, Linked<State, Event>>> {
  const rows = Object.entries(table) as [State, Readonly<Partial<Record<Event, State>>>][];
  const events = new Set(rows.flatMap(([, row]) => Object.keys(row) as Event[]));
  const none = Object.fromEntries([...events].map((event) => [event, undefined]));
  const states = Object.fromEntries(rows.map(([state]) => [state, { state, ...none }]));
  for (const [state, row] of rows) {
    for (const event of Object.keys(row) as Event[]) {
      Object.assign(states[state], { [event]: states[row[event]!] });
    }
  }
  return states as Record<State, Linked<State, Event>>;
}

const READ = linked(READING);
const WRITE = linked(WRITING);

function refuse({ state }: { readonly state: string }, event: string): never {
  throw new Error(`The event ${event} cannot happen in the state ${state} of an HTTP connection`);
}

/** The facts about a request that the state needs. */
export interface RequestFacts {
  /** The length of the body in bytes; -1 if it is chunked. */
  readonly bodyLength: number;
  /** The version and the field Connection let the connection go on. */
  readonly keepAlive: boolean;
  /** The client waits for 100 before it sends the body. */
  readonly expectsContinue: boolean;
}

/** The cause of a failure: the client's bytes or time, the connection, or code of the server. */
export type Failure = "refused" | "lost" | "mistake";

/** The ways to end a connection: with a response that says why, in good order, or at once. */
export type Ending = "refuse" | "close" | "reset";

/** The next step after a response. */
export type Step =
  /** The next request. */
  | "request"
  /** The rest of the body, which nobody wants. */
  | "discard"
  /** Nothing: the connection is closed. */
  | "close";

/** See the module. An event that cannot happen now is a mistake of ours, and throws. */
export class ConnectionState {
  #reading: Linked<Reading, ReadingEvent> = READ.idle;
  #writing: Linked<Writing, WritingEvent> = WRITE.idle;
  #keepAlive = true;
  #draining = false;
  #requests = 0;
  readonly #limit: number;

  /** Notes that the last of `limit` requests ends the connection. */
  constructor(limit: number = Infinity) {
    this.#limit = limit;
  }

  get reading(): Reading {
    return this.#reading.state;
  }

  get writing(): Writing {
    return this.#writing.state;
  }

  /** The number of requests that have come. */
  get requests(): number {
    return this.#requests;
  }

  /** Whether a request has come that is not answered in full. */
  get underWay(): boolean {
    return this.#writing === WRITE.owed || this.#writing === WRITE.content;
  }

  /** Whether the connection speaks another protocol now. */
  get switched(): boolean {
    return this.#writing === WRITE.switched;
  }

  /** Whether nothing of a request has come since the last response was sent. */
  get idle(): boolean {
    return this.#reading === READ.idle && this.#writing === WRITE.idle;
  }

  /** Whether {@linkcode drain} was called. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Whether a request that has not come yet is to be waited for: the first one always is. */
  get waits(): boolean {
    return !this.#draining || this.#requests === 0 || this.#reading === READ.head;
  }

  /** Whether the client may be sending more, since it does not know that the connection ends. */
  get mayStillSend(): boolean {
    return this.#requests === this.#limit || this.#reading === READ.body ||
      this.#reading === READ.expecting;
  }

  /** Returns the next step, now that a response is whole. */
  get step(): Step {
    if (!this.#keepAlive) return "close";
    return this.#reading === READ.body ? "discard" : "request";
  }

  /** A part of a head has come. */
  begin(): void {
    if (this.#reading !== READ.head) this.#read("begin");
  }

  /** A head has come. */
  request({ bodyLength, keepAlive, expectsContinue }: RequestFacts): void {
    if (bodyLength !== 0) this.#read(expectsContinue ? "requestExpecting" : "requestWithBody");
    else this.#reading = this.#reading.request ?? refuse(this.#reading, "request");
    this.#writing = this.#writing.request ?? refuse(this.#writing, "request");
    if (++this.#requests === this.#limit || !keepAlive) this.#keepAlive = false;
  }

  /** The body is wanted. Returns whether 100 is to be sent for it, before anything else. */
  proceed(): boolean {
    if (this.#reading !== READ.expecting) return false;
    this.#read("proceed");
    // Behind the head of a response 100 would be content; that head says it as well.
    return this.#writing === WRITE.owed;
  }

  /** All of the body has come, also without its 100. Does nothing if that is known, or too late. */
  bodyEnd(): void {
    if (this.#reading === READ.body || this.#reading === READ.expecting) this.#read("bodyEnd");
  }

  /** The client has closed its side, with nothing under way. */
  clientClosed(): void {
    this.#read("close");
  }

  /** Ends the connection after the response that is under way. */
  endAfterResponse(): void {
    this.#keepAlive = false;
  }

  /** The server stops: the next response is the last one. */
  drain(): void {
    this.#draining = true;
  }

  /** Settles whether the connection goes on after the response whose head is made now. */
  keepsAlive(): boolean {
    // A client that has not got its 100 may send the body or not, so what comes next is not known.
    if (this.#draining || this.#reading === READ.expecting) this.#keepAlive = false;
    return this.#keepAlive;
  }

  /** The head of a response is sent, and content follows. */
  responseHead(): void {
    this.#write("head");
  }

  /** A response is sent to its end. */
  responseEnd(): void {
    if (this.#writing === WRITE.content) this.#write("contentEnd");
    else this.#writing = this.#writing.whole ?? refuse(this.#writing, "whole");
  }

  /** Begins anew, for the next request. Throws if the connection is to end. */
  next(): void {
    if (!this.#keepAlive) throw new Error("No request may follow the last one of a connection");
    this.#reading = this.#reading.next ?? refuse(this.#reading, "next");
    this.#writing = this.#writing.next ?? refuse(this.#writing, "next");
  }

  /** 101 is sent: what comes and is sent from now on is of another protocol. */
  switch(): void {
    this.#keepAlive = false;
    this.#read("switch");
    this.#write("switch");
  }

  /** The last response is sent, and this side is closed. */
  closed(): void {
    this.#write("close");
  }

  /** The time of a head or a body is over. Returns how the connection ends. */
  expire(): Ending {
    this.#read("expire");
    return this.#ending("refused");
  }

  /** Something went wrong. Returns how the connection ends; nothing if that is settled already. */
  fail(what: Failure): Ending | undefined {
    const settled = this.#reading === READ.expired;
    this.#read("fail");
    return settled ? undefined : this.#ending(what);
  }

  #ending(what: Failure): Ending {
    const ending = this.#endingOf(what);
    this.#keepAlive = false;
    this.#write(ending === "refuse" ? "refuse" : "fail");
    return ending;
  }

  #endingOf(what: Failure): Ending {
    // A response that was sent in part must not look whole.
    if (this.#writing === WRITE.content || what === "mistake") return "reset";
    const unanswered = this.#writing === WRITE.idle || this.#writing === WRITE.owed;
    return what === "refused" && unanswered ? "refuse" : "close";
  }

  #read(event: ReadingEvent): void {
    this.#reading = this.#reading[event] ?? refuse(this.#reading, event);
  }

  #write(event: WritingEvent): void {
    this.#writing = this.#writing[event] ?? refuse(this.#writing, event);
  }
}
