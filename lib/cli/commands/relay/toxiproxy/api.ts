/**
 * toxiproxy's HTTP API: which request does what, and what is answered.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { SocketError } from "../../../../base/errors.ts";
import { VERSION } from "../../../../base/version.ts";
import type { LightHandler, LightRequest, LightResponse } from "../../../../http/server/light.ts";
import type { Log } from "../../../io/log.ts";
import { ApiError, badBody } from "./error.ts";
import type { Proxies } from "./proxies.ts";

/** The version of toxiproxy whose API this is, and of this program. */
const VERSIONS = `2.12.0+plainsocket.${VERSION}`;

/** A request that a route takes. */
interface Asked {
  /** The names in the path. */
  readonly names: readonly string[];
  readonly body: () => Promise<unknown>;
}

type Action = (proxies: Proxies, asked: Asked) => LightResponse | Promise<LightResponse>;

/** A path, with `*` for a name, and what each method does there. */
interface Route {
  readonly path: string;
  readonly actions: Readonly<Record<string, Action>>;
}

const updateProxy: Action = async (proxies, { names: [name], body }) =>
  json(200, (await proxies.update(name, await body())).shown);

const updateToxic: Action = async (proxies, { names: [proxy, toxic], body }) =>
  json(200, proxies.get(proxy).updateToxic(toxic, await body()));

const ROUTES: readonly Route[] = [
  {
    path: "/proxies",
    actions: {
      GET: (proxies) => json(200, proxies.shown),
      POST: async (proxies, { body }) => json(201, (await proxies.create(await body())).shown),
    },
  },
  {
    path: "/proxies/*",
    actions: {
      GET: (proxies, { names: [name] }) => json(200, proxies.get(name).shown),
      POST: updateProxy,
      PATCH: updateProxy,
      DELETE: async (proxies, { names: [name] }) => {
        await proxies.remove(name);
        return { status: 204 };
      },
    },
  },
  {
    path: "/proxies/*/toxics",
    actions: {
      GET: (proxies, { names: [name] }) => json(200, proxies.get(name).toxics),
      POST: async (proxies, { names: [name], body }) =>
        json(200, proxies.get(name).addToxic(await body())),
    },
  },
  {
    path: "/proxies/*/toxics/*",
    actions: {
      GET: (proxies, { names: [proxy, toxic] }) => json(200, proxies.get(proxy).toxic(toxic)),
      POST: updateToxic,
      PATCH: updateToxic,
      DELETE: (proxies, { names: [proxy, toxic] }) => {
        proxies.get(proxy).removeToxic(toxic);
        return { status: 204 };
      },
    },
  },
  {
    path: "/populate",
    actions: {
      POST: async (proxies, { body }) => {
        const { proxies: list, error } = await proxies.populate(await body());
        if (error === undefined) return json(201, { proxies: list });
        const failure = apiErrorOf(error);
        return json(failure.status, {
          error: failure.message,
          status: failure.status,
          proxies: list,
        });
      },
    },
  },
  {
    path: "/reset",
    actions: {
      POST: async (proxies) => {
        await proxies.reset();
        return { status: 204 };
      },
    },
  },
  { path: "/version", actions: { GET: () => json(200, { version: VERSIONS }) } },
];

/** Makes the handler. Changes are noted in the log, and done one after the other. */
export function toxiproxyApi(proxies: Proxies, log: Log): LightHandler {
  let last: Promise<unknown> = Promise.resolve();
  return async (request) => {
    const { method, target } = request;
    const [path] = target.split("?", 1);
    const found = routeOf(path);
    if (found === undefined) return textOf(404, "404 page not found");
    const { route: { actions }, names } = found;
    if (!Object.hasOwn(actions, method)) {
      return { status: 405, headers: ["Allow", Object.keys(actions).join(", ")] };
    }
    // A client that sends its body slowly does not delay other clients.
    const text = await bodyOf(request);
    const turn = last.then(() => actions[method](proxies, { names, body: () => parsed(text) }));
    last = turn.catch(() => {});
    const response = await turn.catch(refusal);
    if (method !== "GET") log.note(`toxiproxy: ${method} ${path}: ${response.status}`);
    return response;
  };
}

function routeOf(path: string): { route: Route; names: string[] } | undefined {
  const parts = path.split("/");
  for (const route of ROUTES) {
    const wanted = route.path.split("/");
    if (wanted.length !== parts.length) continue;
    if (!wanted.every((part, i) => part === "*" ? parts[i] !== "" : part === parts[i])) continue;
    const names = parts.filter((_, i) => wanted[i] === "*").map(decoded);
    if (names.every((name) => name !== undefined)) return { route, names };
  }
  return undefined;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** The server bounds its size. */
async function bodyOf({ body }: LightRequest): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body ?? []) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

// deno-lint-ignore require-await -- what it throws is for who awaits it
async function parsed(text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badBody(text === "" ? "it is empty" : (error as Error).message);
  }
}

/** The response to what went wrong; a mistake of ours is thrown on. */
function refusal(error: unknown): LightResponse {
  const { status, message } = apiErrorOf(error);
  return json(status, { error: message, status });
}

function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof SocketError) return new ApiError(500, error.message);
  throw error;
}

function json(status: number, value: unknown): LightResponse {
  const headers = ["Content-Type", "application/json"];
  return { status, headers, body: `${JSON.stringify(value)}\n` };
}

function textOf(status: number, text: string): LightResponse {
  return { status, headers: ["Content-Type", "text/plain; charset=utf-8"], body: `${text}\n` };
}
