/**
 * The client of NATS, on Deno: fetched when a bus is opened.
 *
 * @module
 */

/** Its packages. */
export interface NatsPackages {
  readonly core: typeof import("@nats-io/nats-core/internal");
  readonly jetstream: typeof import("@nats-io/jetstream");
}

/** Loads them. */
export async function loadNats(): Promise<NatsPackages> {
  // Not as literals: Deno fetches what an import names literally even when it is never run.
  const load = (specifier: string) => import(specifier);
  const [core, jetstream] = await Promise.all([
    load("npm:@nats-io/nats-core@3.4.0/internal"),
    load("npm:@nats-io/jetstream@3.4.0"),
  ]);
  return { core, jetstream };
}
