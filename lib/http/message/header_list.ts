/**
 * Header fields as a list: names and values by turns, in the order and case that they have on the
 * wire.
 *
 * @module
 */

/** The value of a field, its lines joined by ", "; the name in any case. Undefined without it. */
export function valueOf(list: readonly string[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  let found: string | undefined;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i].length !== wanted.length || list[i].toLowerCase() !== wanted) continue;
    found = found === undefined ? list[i + 1] : `${found}, ${list[i + 1]}`;
  }
  return found;
}

/** The same as a method of what has the list. */
export function headerOf(
  this: { readonly headers: readonly string[] },
  name: string,
): string | undefined {
  return valueOf(this.headers, name);
}

/** The same fields as `Headers`. */
export function headersOf(list: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i < list.length; i += 2) headers.append(list[i], list[i + 1]);
  return headers;
}

/** The same fields as a list; names are in lower case then. */
export function listOf(headers: Headers): string[] {
  const list: string[] = [];
  headers.forEach((value, name) => list.push(name, value));
  return list;
}
