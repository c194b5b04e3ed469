// The contract suite on one of our networks: what lib/testing/ holds every kind of socket to, and the
// words of a mistake.

import { testStreams } from "../../lib/testing/streams.ts";
import { mistakes } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import type { Network } from "./networks.ts";

/** Registers the suite for connections and listeners. */
export function testNetwork(network: Network): void {
  const { name, peers } = network;
  testStreams({
    ...network,
    test: (title, run, uses) => test(title, run, uses === undefined ? [] : peers),
  });

  test(`${name}: a read into an empty buffer names the call and the buffer`, async () => {
    using ends = await network.pair();
    const reading = ends.client.read(new Uint8Array(0));
    await mistakes("RangeError", /conn\.read .* not a Uint8Array of 0 bytes/, reading);
  });
}
