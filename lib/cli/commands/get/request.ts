/**
 * From the command line of `get` to a request: what curl's users know, checked.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { HttpRequestOptions } from "../../../http/client/options.ts";
import { ACCEPT_ENCODING } from "../../../http/client/content_decoding.ts";
import { RequestError } from "../../../http/client/errors.ts";
import { checkMethod, hasField } from "../../../base/header_fields.ts";
import { parseUrl } from "../../../http/client/url.ts";
import { readFile } from "../../io/files.ts";
import {
  bothNames,
  type Flag,
  list,
  ofOption,
  text,
  UsageError,
  type Values,
} from "../../io/flags.ts";
import { isInFile, linesOf, secretOf } from "../../io/secret.ts";
import { checked, parseField } from "../../options/header_field.ts";

/**
 * The flags of the request. What has to be something is checked as it is read: if it is
 * empty, a variable of a script was not set, and a request without it is not what was asked for.
 */
export const REQUEST_FLAGS: {
  readonly header: Flag<readonly string[]>;
  readonly request: Flag<string>;
  readonly data: Flag<readonly string[]>;
  readonly "data-binary": Flag<readonly string[]>;
  readonly user: Flag<string>;
  readonly range: Flag<string>;
} = {
  header: {
    secret: true,
    ...list("LINE", "send the header field 'Name: value', or those in @FILE; repeatable", "H"),
    parse: (text, sofar) => {
      if (!isInFile(text)) return fieldOf(text), [...sofar, text];
      const lines = linesOf(text);
      const wrong = lines.findIndex((line) => !isField(line));
      if (wrong === -1) return [...sofar, ...lines];
      // It is not shown: it may be a secret.
      throw new UsageError(`takes 'Name: value', which line ${wrong + 1} of the file is not`);
    },
  },
  request: {
    ...text("METHOD", "", "the method (default GET, or POST with --data)", "X"),
    parse: (method) => {
      checked("takes a method, as PUT", () => checkMethod(method));
      return method;
    },
  },
  data: {
    secret: true,
    ...list("DATA", "send DATA as a form does; @FILE or @- (stdin) without its newlines", "d"),
  },
  "data-binary": { secret: true, ...list("DATA", "the same, but @FILE or @- just as it is") },
  user: {
    secret: true,
    ...text("NAME:PASSWORD", "", "send these with Basic authentication; @FILE has them", "u"),
    parse: (text) => {
      const user = secretOf(text);
      // It is not shown: it may be a password.
      if (user.includes(":")) return user;
      throw new UsageError("takes 'name:password'");
    },
  },
  range: {
    ...text("RANGE", "", "get only these bytes: 0-99, 100- or -100"),
    parse: (range) => {
      if (/^(\d+-\d*|-\d+)$/.test(range)) return range;
      throw new UsageError(`takes 0-99, 100- or -100, not '${range}'`);
    },
  },
};

/** The flags that shape the request. */
type RequestValues = Values<typeof REQUEST_FLAGS> & {
  readonly head: boolean;
  readonly unix: string;
  readonly compressed: boolean;
};

/** Data to send: texts, and files as `@FILE`; `@-` is stdin. */
interface DataOptions {
  /** That of `data` is sent without the newlines of its files. */
  readonly option: "data" | "data-binary";
  readonly parts: readonly string[];
}

/** Options about the request. Those that are not given are "". */
export interface RequestOptions {
  readonly url: string;
  /** The socket file to connect to. */
  readonly unix: string;
  /** The lines of --header. */
  readonly fields: readonly string[];
  /** Default: by whether there is data, or only the head is wanted. */
  readonly method: string;
  /** Whether only the head is wanted. */
  readonly head: boolean;
  readonly user: string;
  readonly range: string;
  /** Whether compressed content is asked for. */
  readonly compressed: boolean;
  readonly data: DataOptions;
}

/** Makes what the flags say of the request for `url`. */
export function parseRequest(url: string, values: RequestValues): RequestOptions {
  const { header: fields, request: method, head, unix, user, range, compressed } = values;
  const option = values.data.length > 0 ? "data" : "data-binary";
  const data = { option, parts: values[option] } as const;
  return { url, unix, fields, method, head, user, range, compressed, data };
}

/** The part of {@linkcode HttpRequestOptions} that they make. */
export type RequestChoice =
  & Pick<HttpRequestOptions, "body" | "socketPath">
  & { readonly url: URL; readonly method: string; readonly headers: readonly string[] };

/** Makes the request, with what is in files. Rejects with a {@linkcode UsageError}, or as `parseUrl` does. */
export async function requestOf(
  options: RequestOptions,
  stdin: AsyncIterable<Uint8Array>,
): Promise<RequestChoice> {
  const { user, range, compressed } = options;
  const { url, socketPath } = placeOf(options.url, options.unix);
  const headers = options.fields.flatMap(fieldOf);
  const add = (name: string, value: string) => {
    if (!hasField(headers, name.toLowerCase())) headers.push(name, value);
  };
  if (user !== "") add("Authorization", `Basic ${Buffer.from(user).toString("base64")}`);
  if (compressed) add("Accept-Encoding", ACCEPT_ENCODING);
  if (range !== "") add("Range", `bytes=${range}`);
  const body = await bodyOf(options.data, stdin);
  if (body !== undefined) add("Content-Type", "application/x-www-form-urlencoded");
  const method = methodOf(options, body !== undefined);
  return { url, socketPath, method, headers, body };
}

/**
 * Returns the destination of a URL, with the socket file that it, or `unix`, names, if there is
 * one.
 */
function placeOf(text: string, unix: string): { url: URL; socketPath: string | undefined } {
  const local = /^http\+unix:\/\/([^/?#]*)(.*)$/is.exec(text);
  if (local === null) {
    // As curl has it: what has no scheme is http.
    const url = parseUrl(
      text === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`,
    );
    return { url, socketPath: unix === "" ? undefined : unix };
  }
  if (unix !== "") throw new UsageError("Option --unix cannot be used with a URL of http+unix");
  const socketPath = decoded(local[1]);
  if (socketPath === undefined || socketPath === "") {
    throw new RequestError("BAD_URL", text, "it has no path as http+unix://%2Frun%2Fa.sock/ has");
  }
  return { url: parseUrl(`http://localhost${local[2]}`), socketPath };
}

function methodOf({ method, head }: RequestOptions, hasBody: boolean): string {
  return method !== "" ? method : head ? "HEAD" : hasBody ? "POST" : "GET";
}

/** `Name: value`, or `Name;` for an empty value; `Name:` leaves out what would be sent by default. */
function fieldOf(line: string): string[] {
  const { name, value } = parseField(line);
  if (value !== "" || line.endsWith(";")) return [name, value];
  return /^(accept|user-agent)$/i.test(name) ? [name, ""] : [];
}

function isField(line: string): boolean {
  try {
    return fieldOf(line) !== undefined;
  } catch {
    return false;
  }
}

/** All of --data or of --data-binary, joined by `&`; undefined without these options. */
async function bodyOf(
  { option, parts: texts }: DataOptions,
  stdin: AsyncIterable<Uint8Array>,
): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  for (const part of texts) {
    if (parts.length > 0) parts.push(Buffer.from("&"));
    if (!isInFile(part)) parts.push(Buffer.from(part));
    else {
      const content = await readSource(part.slice(1), option, stdin);
      parts.push(option === "data" ? stripped(content) : content);
    }
  }
  return parts.length === 0 ? undefined : Buffer.concat(parts);
}

async function readSource(
  path: string,
  option: string,
  stdin: AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  if (path === "-") {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stdin) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
  return ofOption(bothNames(REQUEST_FLAGS, option), () => readFile(path));
}

/** As curl does with the content of a form that it reads from a file. */
function stripped(bytes: Buffer): Buffer {
  return Buffer.from(bytes.filter((byte) => byte !== 0x0d && byte !== 0x0a && byte !== 0));
}

/** Makes a usage error of what `check` throws: what the option `takes`, and what is wrong. */
/** The file name that a URL suggests: its last segment, decoded if it is still one name then. */
export function remoteName({ pathname }: URL): string {
  const segment = pathname.slice(pathname.lastIndexOf("/") + 1);
  if (segment === "") {
    throw new UsageError("Option -O (--remote-name) needs a URL with a file name; say -o FILE");
  }
  // Bytes that are not UTF-8 stay as they are.
  const name = decoded(segment) ?? segment;
  return /[\/\\\p{C}]/u.test(name) || /^\.{1,2}$/.test(name) ? segment : name;
}

/** Nothing if it is not UTF-8. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
