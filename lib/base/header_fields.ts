/**
 * The characters of header fields (RFC 9110 section 5.6), as parts of regular expressions.
 *
 * @module
 */

/** token: one or more tchar (section 5.6.2). */
export const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";

/** field-value: VCHAR, obs-text, SP and HTAB, as latin1 text (section 5.5). It may be empty. */
export const FIELD_VALUE = "[\\t\\x20-\\x7e\\x80-\\xff]*";

/** quoted-string, with its quotes (section 5.6.4). */
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
