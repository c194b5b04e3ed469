/**
 * The client of NATS, on Node: it is there if the user has installed it.
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
  const [core, jetstream] = await Promise.all([
    import("@nats-io/nats-core/internal"),
    import("@nats-io/jetstream"),
  ]);
  return { core, jetstream };
}
