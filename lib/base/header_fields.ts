/**
 * The syntax of HTTP's header fields, methods and media types (RFC 9110), and what callers may set.
 *
 * @module
 */

/** Part of a regular expression for a token: one or more tchar (section 5.6.2). */
export const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";

/** The same for a field-value: VCHAR, obs-text, SP and HTAB, as latin1 text (section 5.5). It may be empty. */
export const FIELD_VALUE = "[\\t\\x20-\\x7e\\x80-\\xff]*";

/** The same for a quoted-string, with its quotes (section 5.6.4). */
export const QUOTED_STRING =
  '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*"';

const WHOLE_TOKEN = new RegExp(`^${TOKEN}$`);
const WHOLE_VALUE = new RegExp(`^${FIELD_VALUE}$`);

/** Whether it is a token, as the name of a field or a method is. */
export function isToken(text: string): boolean {
  return WHOLE_TOKEN.test(text);
}

/** Whether it may be the value of a field. */
export function isFieldValue(text: string): boolean {
  return WHOLE_VALUE.test(text);
}

const MEDIA_TYPE = new RegExp(
  `^${TOKEN}/${TOKEN}(?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"))*$`,
);

/** Whether a text is a media type, perhaps with parameters (RFC 9110 section 8.3.1). */
export function isMediaType(text: string): boolean {
  return MEDIA_TYPE.test(text);
}

/** The fields whose values are credentials (RFC 9110 section 11), in lower case. */
export const AUTHORIZATION_FIELDS: readonly string[] = ["authorization", "proxy-authorization"];

/** These, and the fields of cookies, which are credentials as a rule (RFC 6265). */
export const CREDENTIAL_FIELDS: readonly string[] = [
  ...AUTHORIZATION_FIELDS,
  "cookie",
  "set-cookie",
];

/** The fields that say where a message ends: the client sets them. */
const FRAMING_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "transfer-encoding",
  "expect",
  "upgrade",
]);

/** Throws a `TypeError` unless `method` is one that a request can have. */
export function checkMethod(method: string): void {
  if (!isToken(method)) throw new TypeError(`'${method}' is not a method`);
  if (method === "CONNECT") throw new TypeError("CONNECT is for proxies");
}

/** Throws a `TypeError` unless a request can have this field. The client sets some fields itself. */
export function checkField(name: string, value: string): void {
  if (!isToken(name)) throw new TypeError(`'${name}' is not the name of a header field`);
  if (!isFieldValue(value)) {
    throw new TypeError(`The field ${name} has a character that no field may have`);
  }
  if (FRAMING_FIELDS.has(name.toLowerCase())) {
    throw new TypeError(`The client sets the field ${name} itself`);
  }
}

/** Whether a list of names and values by turns has a field. `name` is in lower case. */
export function hasField(list: readonly string[], name: string): boolean {
  return list.some((other, i) => i % 2 === 0 && other.toLowerCase() === name);
}
