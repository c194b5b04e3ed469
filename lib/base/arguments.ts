/**
 * Mistakes of callers. Plain JavaScript and `deno run` check no types, so every public function has its
 * arguments checked here: one check, and one wording.
 *
 * A value of the wrong type, a missing one and an unknown name are a `TypeError`; a value out of its
 * range is a `RangeError`. Both have the code EINVAL. The message names the argument, what came, and
 * what to write instead.
 *
 * @module
 */

import { isUint8Array } from "node:util/types";
import { nearest } from "./nearest.ts";

/** The kind of an argument: its check, and words for messages. */
export interface Kind {
  /** The words for it, after "takes": `"a string"`. */
  readonly takes: string;
  /** Whether the value is of the right type: if not, it is a `TypeError`. */
  readonly is: (value: unknown) => boolean;
  /** Whether a value of the right type is in range: if not, it is a `RangeError`. Default: it is. */
  readonly fits?: (value: unknown) => boolean;
  /** Returns the text to write instead of a value, if that is known. */
  readonly instead?: (value: unknown) => string | undefined;
  /** Whether it must be there. Default: false. */
  readonly required?: boolean;
  /** The options of an object that has some. */
  readonly options?: Kinds<Record<string, unknown>>;
}

/** The kinds of the options `O`. */
export type Kinds<O> = { readonly [K in keyof O]-?: Kind };

/** A string. */
export const TEXT: Kind = { takes: "a string", is: (value) => typeof value === "string" };

/** A host to connect to. */
export const HOST: Kind = {
  takes: "a host name or an IP address",
  is: (value) => typeof value === "string",
  fits: (value) => /^[^\0]+$/.test(value as string),
};

/** True or false. */
export const FLAG: Kind = { takes: "true or false", is: (value) => typeof value === "boolean" };

/** A function. */
export const FUNCTION: Kind = { takes: "a function", is: (value) => typeof value === "function" };

/** Anything: for what is checked elsewhere. */
export const ANYTHING: Kind = { takes: "anything", is: () => true };

/** Strings in an array. */
export const TEXTS: Kind = {
  takes: "an array of strings",
  is: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  instead: (value) => typeof value === "string" ? `[${shown(value)}]` : undefined,
};

/** An object whose values are strings. */
export const TEXT_BY_NAME: Kind = {
  takes: "an object whose values are strings",
  is: (value) => isObject(value) && Object.values(value).every((item) => typeof item === "string"),
};

/** Names and values of header fields by turns. */
export const FIELDS: Kind = {
  takes: 'an array of names and values by turns, such as ["Accept", "text/html"]',
  is: (value) => TEXTS.is(value) && (value as string[]).length % 2 === 0,
  instead: (value) => {
    if (Array.isArray(value) || typeof value !== "object" || value === null) return undefined;
    return Symbol.iterator in value ? "[...headers].flat()" : "Object.entries(headers).flat()";
  },
};

/** Bytes. Those of other realms (`node:vm`, Jest) are bytes, too. */
export const BYTES: Kind = {
  takes: "bytes in a Uint8Array",
  is: isBytes,
  instead(value) {
    if (typeof value === "string") return "new TextEncoder().encode(text)";
    if (typeof value === "number") return `new Uint8Array(${value})`;
    if (value instanceof ArrayBuffer) return "new Uint8Array(buffer)";
    if (ArrayBuffer.isView(value) && !isBytes(value)) {
      return "new Uint8Array(view.buffer, view.byteOffset, view.byteLength)";
    }
    return Array.isArray(value) ? "Uint8Array.from(array)" : undefined;
  },
};

/** Room for bytes. */
const BUFFER: Kind = {
  ...BYTES,
  takes: "a Uint8Array to read into, of one byte or more",
  fits: (value) => (value as Uint8Array).length > 0,
};

/** Whether it is a Uint8Array; a Buffer is one. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || isUint8Array(value);
}

function number(takes: string, fits: (value: number) => boolean): Kind {
  return {
    takes,
    is: (value) => typeof value === "number",
    fits: fits as (value: unknown) => boolean,
    instead(value) {
      const meant = typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
      return fits(meant) ? String(meant) : undefined;
    },
  };
}

/** An integer from `least` to `most`. */
export function integer(least: number, most: number = Infinity): Kind {
  const range = most === Infinity ? `from ${least}` : `from ${least} to ${most}`;
  const fits = (value: number) => Number.isInteger(value) && value >= least && value <= most;
  return number(`an integer ${range}`, fits);
}

/** A port. */
export const PORT: Kind = integer(0, 65_535);

/** A limit of a number or of bytes. 0 and `Infinity` are no limit. */
export const LIMIT: Kind = number(
  "an integer from 0, where 0 is no limit,",
  (value) => value >= 0 && (Number.isInteger(value) || value === Infinity),
);

/** Milliseconds that something may take; 0 and `Infinity` are no limit. */
export const TIMEOUT: Kind = number(
  "milliseconds from 0, where 0 is no limit,",
  (value) => value >= 0,
);

/** Milliseconds to wait; 0 is not at all. */
export const WAIT: Kind = number("milliseconds from 0", (value) => value >= 0);

/** One of some strings. */
export function oneOf(...values: readonly string[]): Kind {
  const takes = values.map((value) => shown(value)).join(" or ");
  return { takes, is: (value) => values.includes(value as string) };
}

/** An object that has these methods; `words` is what it is called, and how it is made. */
export function having(words: string, ...methods: readonly string[]): Kind {
  return {
    takes: words,
    is: (value) =>
      typeof value === "object" && value !== null &&
      methods.every((name) => typeof (value as Record<string, unknown>)[name] === "function"),
  };
}

/** An object with options of its own. */
export function optionsOf(options: Kinds<Record<string, unknown>>): Kind {
  const instead = (value: unknown) => value === true ? "{}" : undefined;
  return { takes: "an object of options", is: isObject, instead, options };
}

/** The same, and it must be there. */
export function required(kind: Kind): Kind {
  return { ...kind, required: true };
}

/** A signal that aborts. */
export const SIGNAL: Kind = having(
  "an AbortSignal, such as controller.signal or AbortSignal.timeout(1000)",
  "addEventListener",
  "throwIfAborted",
);

/** The clock. */
export const CLOCK: Kind = having("a Clock", "now", "setTimer");

/** The decision about who may connect. */
export const ADMISSION: Kind = having(
  "an Admission, such as new AccessList(…)",
  "admit",
  "release",
);

/** A receiver of the metrics of a server. */
export const METRICS: Kind = having(
  "a MetricsSink, such as new ServerMetrics()",
  "connectionsQueued",
  "connectionRejected",
  "connectionOpened",
  "connectionClosed",
  "handshakeBegan",
  "handshakeEnded",
  "requestBegan",
  "requestEnded",
);

/** An object that accepts connections. */
export const LISTENER: Kind = having(
  "a Listener, such as await systemTransport.listen({ port: 8080 })",
  "accept",
  "stop",
  "close",
);

/** A socket for datagrams. */
export const DATAGRAM: Kind = having(
  "a Datagram, such as await systemTransport.listenDatagram({ port: 7 })",
  "receive",
  "send",
);

/** The function that a server calls for each connection, request or datagram. */
export const HANDLER: Kind = {
  ...FUNCTION,
  takes: "a handler, which is a function",
  instead: (value) => typeof Object(value).fetch === "function" ? "app.fetch" : undefined,
};

/** An object that makes connections. */
export const TRANSPORT: Kind = having("a Transport, such as systemTransport", "connect", "listen");

const A_CONN = "a Conn, such as await dial(systemTransport, { host, port })";

/** A connection. */
export const CONN: Kind = having(A_CONN, "read", "write", "close");

/** An object that bytes are read from, as from a connection. */
export const READABLE: Kind = having(A_CONN, "read");

/** An object that bytes are written to, as to a connection. */
export const WRITABLE: Kind = having(A_CONN, "write");

/** Throws unless `value`, an argument of the function `where`, is of its kind. */
export function checkArgument(where: string, value: unknown, kind: Kind): void {
  const mistake = whyNot(where, value, kind);
  if (mistake !== undefined) throw mistake;
}

function whyNot(where: string, value: unknown, kind: Kind): Error | undefined {
  if (isOf(kind, value)) return undefined;
  return mistake(`${where} takes ${kind.takes}`, value, kind, "");
}

function isOf(kind: Kind, value: unknown): boolean {
  return kind.is(value) && kind.fits?.(value) !== false;
}

/** The error for a `p` that is not bytes; undefined if it is. */
export function whyNoBytes(where: string, p: unknown): Error | undefined {
  return whyNot(where, p, BYTES);
}

/** The error for a `p` that is not a buffer to read into; undefined if it is one. */
export function whyNoBuffer(where: string, p: unknown): Error | undefined {
  return whyNot(where, p, BUFFER);
}

/**
 * Throws unless `options`, an argument of the function `where`, is an object of such options and of no
 * others. `example` is one, as it is written.
 */
export function checkOptions(
  where: string,
  options: unknown,
  kinds: Kinds<Record<string, unknown>>,
  example?: string,
): void {
  checkObject(where, options, example);
  // These first: an option that is missing is often there under another name.
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(kinds, name) && options[name] !== undefined) {
      throw unknownOption(where, name, Object.keys(kinds));
    }
  }
  checkFields(where, options, kinds);
}

/** The same for an object that may have more to it, such as an address. */
export function checkFields(
  where: string,
  options: unknown,
  kinds: Kinds<Record<string, unknown>>,
  example?: string,
): void {
  checkObject(where, options, example);
  for (const name in kinds) checkOption(where, name, options[name], kinds[name]);
}

function checkObject(
  where: string,
  options: unknown,
  example: string | undefined,
): asserts options is Record<string, unknown> {
  if (!isObject(options)) {
    const such = example === undefined ? "" : `, such as ${example}`;
    throw invalid(
      new TypeError(`${where} takes an object of options${such}, not ${shown(options)}`),
    );
  }
}

function checkOption(where: string, name: string, value: unknown, kind: Kind): void {
  if (value === undefined) {
    if (kind.required !== true) return;
    throw invalid(
      new TypeError(`${where} needs the option ${name}: ${kind.takes.replace(/,$/, "")}`),
    );
  }
  if (!isOf(kind, value)) {
    throw mistake(`${where} takes the option ${name} as ${kind.takes}`, value, kind, `${name}: `);
  }
  if (kind.options !== undefined) checkOptions(`${where}, in ${name},`, value, kind.options);
}

function mistake(takes: string, value: unknown, kind: Kind, before: string): Error {
  const instead = kind.instead?.(value);
  const next = instead === undefined ? "" : `. Write ${before}${instead}`;
  const message = `${takes.replace(/,$/, "")}, not ${shown(value)}${next}`;
  return invalid(kind.is(value) ? new RangeError(message) : new TypeError(message));
}

function invalid(error: Error): Error {
  return Object.assign(error, { code: "EINVAL" });
}

/** Names that other libraries have for what is called something else here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  addr: "host",
  address: "host",
  hostname: "host",
  ca: "caCerts",
  certificate: "cert",
  rejectUnauthorized: "insecure",
  serverName: "servername",
};

function unknownOption(where: string, name: string, names: readonly string[]): Error {
  const elsewhere = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : "";
  const near = names.includes(elsewhere) ? elsewhere : nearest(name, names);
  const next = near === undefined ? `It has ${names.join(", ")}` : `Write ${near}`;
  return invalid(new TypeError(`${where} has no option ${shown(name)}. ${next}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The most characters of a string that a message shows. */
const SHOWN = 40;

/** A value in the words of a message. */
function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "object": {
      if (value === null) return "null";
      if (Array.isArray(value)) return "an array";
      if (isBytes(value)) return `a Uint8Array of ${value.length} bytes`;
      const name = (Object.getPrototypeOf(value) as object | null)?.constructor?.name;
      return name === undefined || name === "Object" ? "an object" : `an object of type ${name}`;
    }
    default:
      return `a ${typeof value}`;
  }
}

/** Whether options ask for a Unix socket. */
export function asksForUnix<O extends object>(
  options: O,
): options is Extract<O, { readonly path: string }> {
  return "path" in options && options.path !== undefined;
}

/** Whether options ask for TLS. */
export function asksForTls<O extends object>(
  options: O,
): options is Extract<O, { readonly tls: object }> {
  return "tls" in options && options.tls !== undefined;
}

/** Whether options ask for a socket that is bound already. */
export function isInherited<O extends object>(
  options: O,
): options is Extract<O, { readonly fd: number }> {
  return "fd" in options && options.fd !== undefined;
}
