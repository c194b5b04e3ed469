/**
 * One proxy of toxiproxy's API: a relay with toxics.
 *
 * @module
 */

import { type Endpoint, formatAddr } from "../../../../base/addr.ts";
import { faulty, type FaultyTransport } from "../../../../faults/faulty.ts";
import type { FaultRule } from "../../../../faults/plan.ts";
import type { Transport } from "../../../../net/transport.ts";
import {
  type Handler,
  serve,
  type ServeOptions,
  type ServeSummary,
} from "../../../../serve/serve.ts";
import type { Server } from "../../../../serve/server.ts";
import { parseEndpoint } from "../../../options/endpoint.ts";
import { ofOption, UsageError } from "../../../io/flags.ts";
import { ApiError, badBody } from "./error.ts";
import { parseToxic, ruleOf, type Toxic, updatedToxic } from "./toxics.ts";

/** The most toxics of one proxy. */
const MAX_TOXICS = 100;

/** The context of a proxy. */
export interface ProxyContext {
  /** The transport that listens and connects. */
  readonly transport: Transport;
  /** The seed of the chances. */
  readonly seed: number;
  readonly serving: ServeOptions;
  /** Makes what joins clients to the upstream. */
  readonly handlerTo: (upstream: Endpoint) => Handler;
}

/** The fields of a proxy. */
export interface ProxyFields {
  readonly listen: string;
  readonly upstream: string;
}

/** A proxy, as the API shows it. */
export interface ShownProxy extends ProxyFields {
  readonly name: string;
  readonly enabled: boolean;
  readonly toxics: readonly Toxic[];
}

/** A toxic, and what it does. */
interface AppliedToxic {
  readonly toxic: Toxic;
  readonly rule: FaultRule;
}

/** The summary of a proxy that has served nobody. */
export const NOTHING_SERVED: ServeSummary = { accepted: 0, refused: 0, reset: 0 };

/** Adds up two summaries. */
export function sumOf(a: ServeSummary, b: ServeSummary): ServeSummary {
  return {
    accepted: a.accepted + b.accepted,
    refused: a.refused + b.refused,
    reset: a.reset + b.reset,
  };
}

/** See the module. */
export class Proxy {
  readonly name: string;
  readonly #context: ProxyContext;
  #fields: ProxyFields;
  /** Each toxic with its rule, which stays the same as long as the toxic does. */
  #toxics: AppliedToxic[] = [];
  #transport: FaultyTransport | undefined;
  #server: Server<ServeSummary> | undefined;
  #summary = NOTHING_SERVED;

  /** Throws an {@linkcode ApiError} if the fields are not valid. */
  constructor(name: string, fields: ProxyFields, context: ProxyContext) {
    this.name = name;
    this.#context = context;
    this.#fields = checked(fields);
  }

  /** Whether it takes connections. */
  get enabled(): boolean {
    return this.#server !== undefined;
  }

  /** The proxy as the API shows it. */
  get shown(): ShownProxy {
    const toxics = this.toxics;
    return { name: this.name, ...this.#fields, enabled: this.enabled, toxics };
  }

  /** All toxics; those for data from clients come first. */
  get toxics(): Toxic[] {
    const toxics = this.#toxics.map(({ toxic }) => toxic);
    return ["upstream", "downstream"].flatMap((wanted) =>
      toxics.filter(({ stream }) => stream === wanted)
    );
  }

  /** Starts to listen. Rejects with a SocketError. */
  async start(): Promise<void> {
    if (this.enabled) return;
    const { transport, seed, serving, handlerTo } = this.#context;
    const { clock } = serving;
    this.#transport = faulty(transport, this.#plan(), { seed, clock, live: true });
    const listener = await this.#transport.listen(listenEndpoint(this.#fields.listen));
    // As the API shows it from then on, with the port that was free.
    this.#fields = { ...this.#fields, listen: formatAddr(listener.addr) };
    this.#server = serve(listener, handlerTo(parseEndpoint(this.#fields.upstream)), serving);
  }

  /** Stops listening, and drops the connections. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    // That connections are dropped now is what was asked for.
    const stopped = await server.stop({ drainTimeout: 0 });
    this.#summary = sumOf(this.#summary, { ...stopped, reset: 0 });
    // Bytes under way are not delayed any more.
    this.#transport?.setPlan([]);
  }

  /** Resolves to all it has done, when it has stopped with the run. */
  async finished(): Promise<ServeSummary> {
    if (this.#server === undefined) return this.#summary;
    return sumOf(this.#summary, await this.#server.finished);
  }

  /** Changes its fields; if they differ it is started anew. Rejects as {@linkcode start} does. */
  async update(fields: ProxyFields, enabled: boolean): Promise<void> {
    if (await this.differsFrom(fields)) {
      const next = checked(fields);
      await this.stop();
      this.#fields = next;
    }
    if (enabled) await this.start();
    else await this.stop();
  }

  /** Whether other fields mean another address to listen on, or another upstream. */
  async differsFrom({ listen, upstream }: ProxyFields): Promise<boolean> {
    if (upstream !== this.#fields.upstream) return true;
    if (listen === this.#fields.listen) return false;
    checked({ listen, upstream });
    const addresses = await addressesOf(listenEndpoint(listen), this.#context.transport);
    return addresses.every((addr) => formatAddr(addr) !== this.#fields.listen);
  }

  /** Returns a toxic. Throws an {@linkcode ApiError} if no toxic has this name. */
  toxic(name: string): Toxic {
    return this.#toxics[this.#indexOf(name)].toxic;
  }

  /** Adds the toxic that a body describes, for open connections, too. Throws an {@linkcode ApiError}. */
  addToxic(body: unknown): Toxic {
    const toxic = parseToxic(body);
    if (this.#toxics.some(({ toxic: { name } }) => name === toxic.name)) {
      throw new ApiError(409, "toxic already exists");
    }
    if (this.#toxics.length >= MAX_TOXICS) {
      throw new ApiError(400, `too many toxics: the most is ${MAX_TOXICS}`);
    }
    this.#setToxics([...this.#toxics, { toxic, rule: ruleOf(toxic) }]);
    return toxic;
  }

  /** Changes a toxic. Throws an {@linkcode ApiError}. */
  updateToxic(name: string, body: unknown): Toxic {
    const index = this.#indexOf(name);
    const toxic = updatedToxic(this.#toxics[index].toxic, body);
    this.#setToxics(this.#toxics.with(index, { toxic, rule: ruleOf(toxic) }));
    return toxic;
  }

  /** Takes a toxic away. Throws an {@linkcode ApiError}. */
  removeToxic(name: string): void {
    this.#setToxics(this.#toxics.toSpliced(this.#indexOf(name), 1));
  }

  /** Takes all toxics away. */
  removeToxics(): void {
    this.#setToxics([]);
  }

  #indexOf(wanted: string): number {
    const index = this.#toxics.findIndex(({ toxic: { name } }) => name === wanted);
    if (index < 0) throw new ApiError(404, "toxic not found");
    return index;
  }

  #setToxics(toxics: AppliedToxic[]): void {
    this.#toxics = toxics;
    if (this.enabled) this.#transport?.setPlan(this.#plan());
  }

  #plan(): FaultRule[] {
    return this.#toxics.map(({ rule }) => rule);
  }
}

/** Throws an {@linkcode ApiError} if the fields are not valid. */
function checked(fields: ProxyFields): ProxyFields {
  try {
    ofOption("upstream", () => parseEndpoint(fields.upstream));
    ofOption("listen", () => listenEndpoint(fields.listen));
    return fields;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw badBody(error.message.replace(/^Option /, ""));
  }
}

/** Parses a listen address: `:PORT` is all addresses, and 0 any port. Throws a UsageError. */
function listenEndpoint(text: string): Endpoint {
  const [anyHost, anyPort] = [text.startsWith(":"), /:0+$/.test(text)];
  const { host, port } = parseEndpoint(
    `${anyHost ? "any" : ""}${anyPort ? text.replace(/:0+$/, ":1") : text}`,
  );
  return { host: anyHost ? "" : host, port: anyPort ? 0 : port };
}

/** The addresses that a listener at `endpoint` can have. Rejects with a SocketError. */
async function addressesOf(endpoint: Endpoint, transport: Transport): Promise<Endpoint[]> {
  const { host, port } = endpoint;
  if (host === "") return [{ host: "::", port }, { host: "0.0.0.0", port }];
  return await transport.resolve(endpoint);
}
