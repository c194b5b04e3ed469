/**
 * All proxies of toxiproxy's API, by name.
 *
 * @module
 */

import type { ServeSummary } from "../../../../serve/serve.ts";
import { ApiError, badBody, missingField } from "./error.ts";
import { type Body, flagOf, objectOf, textOf } from "./fields.ts";
import {
  NOTHING_SERVED,
  Proxy,
  type ProxyContext,
  type ProxyFields,
  type ShownProxy,
  sumOf,
} from "./proxy.ts";

/** The most proxies at once. */
const MAX_PROXIES = 1000;

/** The default listen address of a proxy: a free port of this machine. */
const LISTEN = "localhost:0";

/** The fields of a proxy in a body. */
interface ProxyInput extends ProxyFields {
  readonly name: string;
  readonly enabled: boolean;
}

/** The result for a list of proxies: those that were made, and the error of the next one. */
export interface Populated {
  readonly proxies: readonly ShownProxy[];
  readonly error: unknown;
}

/** See the module. */
export class Proxies {
  readonly #proxies = new Map<string, Proxy>();
  readonly #context: ProxyContext;
  /** The summary of the removed proxies. */
  #gone = NOTHING_SERVED;

  constructor(context: ProxyContext) {
    this.#context = context;
  }

  /** Returns a proxy. Throws an {@linkcode ApiError} if no proxy has this name. */
  get(name: string): Proxy {
    const proxy = this.#proxies.get(name);
    if (proxy === undefined) throw new ApiError(404, "proxy not found");
    return proxy;
  }

  /** All of them, by name. */
  get shown(): Record<string, ShownProxy> {
    const names = [...this.#proxies.keys()].sort();
    return Object.fromEntries(names.map((name) => [name, this.get(name).shown]));
  }

  /** Makes one. Rejects with an {@linkcode ApiError} or a SocketError. */
  async create(value: unknown): Promise<Proxy> {
    const input = inputOf(objectOf(value, "the proxy"), "");
    if (this.#proxies.has(input.name)) throw new ApiError(409, "proxy already exists");
    return await this.#add(input);
  }

  /**
   * Makes each proxy of a list, or replaces the one of this name if its addresses differ. Rejects with
   * an {@linkcode ApiError}, before any is made, if the list is not valid.
   */
  async populate(value: unknown): Promise<Populated> {
    if (!Array.isArray(value)) throw badBody("it is not a list of proxies");
    const inputs = value.map((item, i) => {
      return inputOf(objectOf(item, `proxy ${i + 1}`), ` at proxy ${i + 1}`);
    });
    const proxies: ShownProxy[] = [];
    try {
      for (const input of inputs) proxies.push((await this.#addOrReplace(input)).shown);
    } catch (error) {
      return { proxies, error };
    }
    return { proxies, error: undefined };
  }

  /** Changes one. Rejects with an {@linkcode ApiError} or a SocketError. */
  async update(name: string, value: unknown): Promise<Proxy> {
    const proxy = this.get(name);
    const body = objectOf(value, "the proxy");
    const { listen, upstream, enabled } = proxy.shown;
    await proxy.update(
      { listen: textOf(body, "listen", listen), upstream: textOf(body, "upstream", upstream) },
      flagOf(body, "enabled", enabled),
    );
    return proxy;
  }

  /** Stops one, and takes it away. Rejects with an {@linkcode ApiError}. */
  async remove(name: string): Promise<void> {
    const proxy = this.get(name);
    this.#proxies.delete(name);
    await proxy.stop();
    const served = await proxy.finished();
    this.#gone = sumOf(this.#gone, served);
  }

  /** Starts all of them, and takes their toxics away. Rejects with a SocketError. */
  async reset(): Promise<void> {
    for (const proxy of this.#proxies.values()) {
      await proxy.start();
      proxy.removeToxics();
    }
  }

  /** Resolves to all they have done, when they have stopped with the run. */
  async finished(): Promise<ServeSummary> {
    const all = await Promise.all([...this.#proxies.values()].map((proxy) => proxy.finished()));
    return all.reduce(sumOf, this.#gone);
  }

  async #addOrReplace(input: ProxyInput): Promise<Proxy> {
    const existing = this.#proxies.get(input.name);
    if (existing !== undefined) {
      if (!await existing.differsFrom(input)) return existing;
      await this.remove(input.name);
    }
    return await this.#add(input);
  }

  async #add({ name, enabled, ...fields }: ProxyInput): Promise<Proxy> {
    if (this.#proxies.size >= MAX_PROXIES) {
      throw new ApiError(400, `too many proxies: the most is ${MAX_PROXIES}`);
    }
    const proxy = new Proxy(name, fields, this.#context);
    if (enabled) await proxy.start();
    this.#proxies.set(name, proxy);
    return proxy;
  }
}

/** Throws an {@linkcode ApiError} for what is missing, `where` it is. */
function inputOf(body: Body, where: string): ProxyInput {
  const name = textOf(body, "name", "");
  if (name === "") throw missingField(`name${where}`);
  const upstream = textOf(body, "upstream", "");
  if (upstream === "") throw missingField(`upstream${where}`);
  const listen = textOf(body, "listen", "") || LISTEN;
  return { name, listen, upstream, enabled: flagOf(body, "enabled", true) };
}
