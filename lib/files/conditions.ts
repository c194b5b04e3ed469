/**
 * Conditional requests (RFC 9110 section 13).
 *
 * @module
 */

/** The validators of a representation: they differ between its states. */
export interface Validators {
  /** Its entity tag, with quotes; weak ones start with `W/`. */
  readonly etag: string;
  /** When it was last modified, in milliseconds since 1970, of whole seconds. */
  readonly lastModified: number;
}

/** The values of the fields that make a request conditional. */
export interface Conditions {
  readonly ifMatch?: string;
  readonly ifUnmodifiedSince?: string;
  readonly ifNoneMatch?: string;
  readonly ifModifiedSince?: string;
}

/** Evaluates the conditions of a GET or HEAD, in the order of RFC 9110 section 13.2.2. */
export function evaluate(conditions: Conditions, validators: Validators): 200 | 304 | 412 {
  const { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!isListed(ifMatch, validators.etag, false)) return 412;
  } else if (ifUnmodifiedSince !== undefined) {
    const date = parseHttpDate(ifUnmodifiedSince);
    if (date !== undefined && validators.lastModified > date) return 412;
  }
  if (ifNoneMatch !== undefined) return isListed(ifNoneMatch, validators.etag, true) ? 304 : 200;
  if (ifModifiedSince === undefined) return 200;
  const date = parseHttpDate(ifModifiedSince);
  return date !== undefined && validators.lastModified <= date ? 304 : 200;
}

/**
 * Whether a Range counts, by the value of If-Range: only for exactly the representation the client
 * has a part of. `now` is in milliseconds since 1970: a date says that only if nothing can have been
 * changed within its second any more (RFC 9110 section 8.8.2.2).
 */
export function rangeHolds(ifRange: string, validators: Validators, now: number): boolean {
  if (ifRange.includes('"')) return !isWeak(ifRange) && ifRange === validators.etag;
  const { lastModified } = validators;
  return parseHttpDate(ifRange) === lastModified && now - lastModified >= 2000;
}

/** Whether a list of entity tags, or `*`, has this one; RFC 9110 section 8.8.3.2. */
function isListed(list: string, etag: string, weakly: boolean): boolean {
  if (list === "*") return true;
  if (!weakly && isWeak(etag)) return false;
  for (const [tag] of list.matchAll(ENTITY_TAG)) {
    if (weakly ? opaque(tag) === opaque(etag) : tag === etag) return true;
  }
  return false;
}

/** A tag may have commas in it. */
const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

function isWeak(etag: string): boolean {
  return etag.startsWith("W/");
}

function opaque(etag: string): string {
  return isWeak(etag) ? etag.slice(2) : etag;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(${MONTHS.join("|")})`;
const TIME = "(\\d\\d):(\\d\\d):(\\d\\d)";
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";

/** RFC 9110 section 5.6.7: one format that is sent, and two that are still to be understood. */
const IMF_FIXDATE = new RegExp(`^${DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} GMT$`);
const RFC850 = new RegExp(`^${DAY}[a-z]{3,6}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^${DAY} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`);

/** An HTTP-date in milliseconds since 1970; `undefined` if it is not valid. */
export function parseHttpDate(text: string, now: number = Date.now()): number | undefined {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) return utc(match[3], match[2], match[1], match.slice(4));
  match = RFC850.exec(text);
  if (match !== null) return utc(fullYear(match[3], now), match[2], match[1], match.slice(4));
  match = ASCTIME.exec(text);
  if (match !== null) return utc(match[6], match[1], match[2], match.slice(3, 6));
}

/** A year of two digits is in the past if it could else be more than 50 years in the future. */
function fullYear(digits: string, now: number): string {
  const year = new Date(now).getUTCFullYear();
  const candidate = year - year % 100 + Number(digits);
  return String(candidate > year + 50 ? candidate - 100 : candidate);
}

function utc(year: string, month: string, day: string, time: string[]): number | undefined {
  const [hours, minutes, seconds] = time.map(Number);
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), MONTHS.indexOf(month), Number(day));
  if (date.getUTCDate() !== Number(day)) return undefined;
  return date.setUTCHours(hours, minutes, seconds);
}
