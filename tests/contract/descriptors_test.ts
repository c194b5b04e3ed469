// No socket of the runtime at hand leaves a descriptor behind. One process counts all kinds: to start
// one for each takes longer than to open and close a thousand sockets.

import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Exit } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";
import { assertNoneLeft, type DescriptorKind, openAndClose } from "./descriptors.ts";

const WHAT = {
  tcp: ": 1,000 connections opened and closed",
  unix: ", Unix: 1,000 connections opened and closed",
  tls: ", TLS: 200 connections opened and closed",
  udp: ", datagrams: 500 sockets",
} as const satisfies Partial<Record<DescriptorKind, string>>;

const KINDS = Object.keys(WHAT) as (keyof typeof WHAT)[];

let counting: Promise<Exit> | undefined;

for (const kind of KINDS) {
  test(`${systemTransport.name}${WHAT[kind]} leave no descriptor behind`, async () => {
    assertNoneLeft(kind, await (counting ??= openAndClose(...KINDS)));
  });
}
