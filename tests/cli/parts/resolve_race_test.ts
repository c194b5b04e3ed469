// `client.ts resolve --connect`: what is told of each address, on a network that does as it is told.

import assert from "node:assert/strict";
import { interleave, tcpAddr } from "../../../lib/base/addr.ts";
import { Race, whyWon } from "../../../lib/cli/commands/resolve/race.ts";
import {
  addressTable,
  raceJson,
  raceTable,
  systemOrder,
} from "../../../lib/cli/commands/resolve/table.ts";
import { dial } from "../../../lib/dial.ts";
import { observe } from "../../../lib/observe/observe.ts";
import { type Behaviour, network, V4, V6 } from "../../support/network.ts";
import { test } from "../../support/runner.deno.ts";

/** Dials the addresses for so many milliseconds, and tells of the race; the times are exact. */
async function raced(behaviours: Record<string, Behaviour>, timeout = 10_000) {
  const net = await network(behaviours);
  const race = new Race();
  const transport = observe(net.transport, (event) => race.record(event), net.clock);
  const dialled = dial(transport, { ...net.options, timeout })
    .then((conn) => conn.close(), () => {})
    .then(() => race.finish(net.clock.now()));
  await net.clock.advance(20_000);
  net.listener.close();
  return await dialled;
}

test("resolve: families take turns in the table, and the system's order is told if it is another", () => {
  const addrs = [...V6, ...V4].map((host) => tcpAddr(host, 80));
  assert.equal(
    addressTable(interleave(addrs)),
    `\
order  family    type         protocol     address
1      AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::1]:80
2      AF_INET   SOCK_STREAM  IPPROTO_TCP  192.0.2.1:80
3      AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::2]:80
4      AF_INET   SOCK_STREAM  IPPROTO_TCP  192.0.2.2:80
5      AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::3]:80
`,
  );
  assert.equal(
    systemOrder(addrs),
    "the system's order is [2001:db8::1]:80, [2001:db8::2]:80, [2001:db8::3]:80, 192.0.2.1:80, " +
      "192.0.2.2:80",
  );
  assert.equal(systemOrder(interleave(addrs)), undefined);
});

test("resolve: of each address it is told when it was tried, what came of it, and why one won", async () => {
  const candidates = await raced({
    [V6[0]]: { after: null, ok: true },
    [V6[1]]: { after: 10, ok: false },
    [V6[2]]: { after: 0, ok: true },
    [V4[0]]: { after: 400, ok: true },
    [V4[1]]: { after: null, ok: true },
  });
  assert.deepEqual(raceTable(candidates).split("\n"), [
    "order  family    type         protocol     address           began   ended   result",
    "1      AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::1]:80  0 ms    650 ms  given up: another was faster",
    "2      AF_INET   SOCK_STREAM  IPPROTO_TCP  192.0.2.1:80      250 ms  650 ms  won",
    "3      AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::2]:80  500 ms  510 ms  ECONNREFUSED: the connection was refused",
    "4      AF_INET   SOCK_STREAM  IPPROTO_TCP  192.0.2.2:80      510 ms  650 ms  given up: another was faster",
    "5      AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::3]:80  -       -       not tried",
    "",
    "192.0.2.1:80 won: it answered within 400 ms; [2001:db8::2]:80 failed before; " +
    "[2001:db8::1]:80 and 192.0.2.2:80 had not answered yet.",
    "",
  ]);
});

test("resolve: why the winner won", async () => {
  const slow = { after: null, ok: true };
  const refusing = { after: 10, ok: false };
  const cases: [behaviours: Record<string, Behaviour>, why: string | undefined][] = [
    [
      { [V4[0]]: { after: 3, ok: true } },
      "192.0.2.1:80 won: it answered within 3 ms, and is the only address.",
    ],
    [
      { [V6[0]]: { after: 100, ok: true }, [V4[0]]: slow },
      "[2001:db8::1]:80 won: it answered within 100 ms; it was tried first, and no other was due yet.",
    ],
    [
      { [V6[0]]: { after: 300, ok: true }, [V4[0]]: slow },
      "[2001:db8::1]:80 won: it answered within 300 ms; 192.0.2.1:80 had not answered yet.",
    ],
    [
      { [V6[0]]: refusing, [V4[0]]: { after: 20, ok: true } },
      "192.0.2.1:80 won: it answered within 20 ms; [2001:db8::1]:80 failed before.",
    ],
    [{ [V6[0]]: refusing, [V4[0]]: refusing }, undefined],
  ];
  for (const [behaviours, why] of cases) assert.equal(whyWon(await raced(behaviours)), why);
});

test("resolve: when none answers in time that is told of each, and nobody won", async () => {
  const candidates = await raced({
    [V6[0]]: { after: null, ok: true },
    [V6[1]]: { after: null, ok: true },
    [V4[0]]: { after: 10, ok: false },
  }, 400);
  assert.deepEqual(raceTable(candidates).split("\n").slice(1), [
    "1      AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::1]:80  0 ms    400 ms  no answer",
    "2      AF_INET   SOCK_STREAM  IPPROTO_TCP  192.0.2.1:80      250 ms  260 ms  ECONNREFUSED: the connection was refused",
    "3      AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::2]:80  260 ms  400 ms  no answer",
    "",
  ]);
});

test("resolve: two that answer at the same moment have one winner", async () => {
  const candidates = await raced({
    [V6[0]]: { after: 350, ok: true, deaf: true },
    [V4[0]]: { after: 100, ok: true, deaf: true },
  });
  assert.deepEqual(candidates.map(({ outcome }) => outcome).sort(), ["given up", "won"]);
});

test("resolve: the same as JSON", async () => {
  const candidates = await raced({
    [V6[0]]: { after: 10, ok: false },
    [V4[0]]: { after: 20, ok: true },
    [V6[1]]: { after: 0, ok: true },
  });
  const socket = { type: "SOCK_STREAM", protocol: "IPPROTO_TCP" };
  assert.deepEqual(
    JSON.parse(JSON.stringify(raceJson({ host: "example.test", port: 80 }, candidates))),
    {
      endpoint: "example.test:80",
      candidates: [
        {
          order: 1,
          family: "AF_INET6",
          ...socket,
          address: V6[0],
          port: 80,
          began: 0,
          ended: 10,
          outcome: "failed",
          code: "ECONNREFUSED",
        },
        {
          order: 2,
          family: "AF_INET",
          ...socket,
          address: V4[0],
          port: 80,
          began: 10,
          ended: 30,
          outcome: "won",
        },
        { order: 3, family: "AF_INET6", ...socket, address: V6[1], port: 80, outcome: "not tried" },
      ],
      why: "192.0.2.1:80 won: it answered within 20 ms; [2001:db8::1]:80 failed before.",
    },
  );
});
