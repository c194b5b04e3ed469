/**
 * The source of a `Response`, where the runtime keeps it and all of it is there.
 *
 * Fetch defines that a body has a source if it was made of what is all there, and no runtime reads its
 * own streams to send that. If a runtime keeps it behind symbols, these are found here by what they
 * do, once; that saves most of the time that a response takes. If not, the stream is read.
 *
 * @module
 */

/** A response whose symbols are looked at. */
type Kept = Readonly<Record<symbol, unknown>>;

/** The state that a runtime keeps of a response. */
interface State {
  readonly body?: { readonly source?: unknown } | null;
}

/** The symbol of a new `Response` that passes all tests; undefined without one. */
function symbolWith(...tests: readonly ((symbol: symbol) => boolean)[]): symbol | undefined {
  return Object.getOwnPropertySymbols(new Response("")).find((symbol) =>
    tests.every((passes) => passes(symbol))
  );
}

function kept(response: Response, symbol: symbol): unknown {
  return (response as unknown as Kept)[symbol];
}

/** Deno makes a response in full when its headers are asked for. */
function made(response: Response): Response {
  response.headers.has("Content-Type");
  return response;
}

function stateOf(response: Response, symbol: symbol): State | undefined {
  return kept(response, symbol) as State | undefined;
}

/** The symbols behind which the runtime keeps what a response was made of. Undefined: it does not. */
interface Symbols {
  readonly state: symbol | undefined;
  /** That of the text of a response that was made of text alone and was not read since. */
  readonly text: symbol | undefined;
  /** And of its type, if that is not the one of plain text. */
  readonly type: symbol | undefined;
}

function findSymbols(): Symbols {
  return {
    state: symbolWith(
      (symbol) => stateOf(made(new Response("whole")), symbol)?.body?.source === "whole",
      (symbol) => stateOf(made(new Response(new ReadableStream())), symbol)?.body?.source === null,
    ),
    text: symbolWith(
      (symbol) => kept(new Response("whole"), symbol) === "whole",
      (symbol) => kept(made(new Response("whole")), symbol) === null,
      (symbol) => {
        const response = new Response("whole");
        return response.body !== null && kept(response, symbol) === null;
      },
      (symbol) => kept(new Response("whole", { headers: { "X-A": "b" } }), symbol) === null,
      (symbol) => kept(new Response("whole", { status: 404 }), symbol) === null,
    ),
    type: symbolWith(
      (symbol) => kept(Response.json({}), symbol) === "application/json",
      (symbol) => kept(new Response("whole"), symbol) === null,
    ),
  };
}

/** They are found when the first response comes: for `Response` Node loads all of fetch. */
let symbols: Symbols | undefined;

/** A response of text alone. */
export interface TextResponse {
  readonly status: 200;
  readonly headers: readonly string[];
  readonly body: string;
}

const PLAIN: readonly string[] = ["content-type", "text/plain;charset=UTF-8"];
const JSON_TYPE: readonly string[] = ["content-type", "application/json"];

/** The text and the type of a response that has no more than these, if the runtime keeps them. */
export function textOf(response: Response): TextResponse | undefined {
  const by = symbols ??= findSymbols();
  if (by.text === undefined || by.type === undefined) return undefined;
  // A subclass may have fields of its own, which come first.
  if (Object.getPrototypeOf(response) !== Response.prototype) return undefined;
  const body = kept(response, by.text);
  if (typeof body !== "string") return undefined;
  const type = kept(response, by.type);
  if (type === null) return { status: 200, headers: PLAIN, body };
  return type === JSON_TYPE[1] ? { status: 200, headers: JSON_TYPE, body } : undefined;
}

/** Returns the source of the body, if the runtime keeps it. The headers were read before. */
export function sourceOf(response: Response): string | Uint8Array | undefined {
  const { state } = symbols ??= findSymbols();
  const source = state === undefined ? undefined : stateOf(response, state)?.body?.source;
  return typeof source === "string" || source instanceof Uint8Array ? source : undefined;
}
