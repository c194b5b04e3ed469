/**
 * The relays that are measured, and what they are measured with.
 *
 * @module
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../common/children.ts";
import { BIN, buildForNode, compile, node, tool } from "../common/tools.ts";
import { type LoadCase, source as echoSource, type Subject } from "../echo/subjects.ts";

/** Messages that are echoed through the relay, on connections that stay. */
export const LOAD_CASES: readonly LoadCase[] = [
  { name: "8x64k", title: "64 KiB on 8 connections", connections: 8, size: 64 * 1024 },
  { name: "64x64", title: "64 B on 64 connections", connections: 64, size: 64 },
];

/** Connections that are made for one echo each. */
export const CONNS_CASE: LoadCase = {
  name: "conns",
  title: "a connection for each 64 B echo, 16 at a time",
  connections: 16,
  size: 64,
};

/** The file of one of this bench's own programs. */
export function source(name: string): string {
  return join(import.meta.dirname!, name);
}

/** The command of the echo server behind the relays. */
export function backend(): string[] {
  return [compile(echoSource("epoll.c"))];
}

function subject(
  name: string,
  title: string,
  command: Subject["command"],
  more: Partial<Subject> = {},
): Subject {
  return { name, title, throughput: true, memory: false, command, ...more };
}

/** All relays to an echo server at `port`, in the order of the tables. */
export function subjects(port: number): Subject[] {
  const target = String(port);
  return [
    subject("direct", "no relay: the echo server itself", backend),
    subject("deno", "plainsocket on Deno", () => {
      const script = source("subjects/plainsocket-deno.ts");
      return [Deno.execPath(), "run", "-A", "--no-check", script, target];
    }),
    ...[20, 24].map((major) =>
      subject(`node${major}`, `plainsocket on Node ${major}`, async () => {
        await buildForNode();
        return [await node(major), source("subjects/plainsocket-node.mjs"), target];
      })
    ),
    socat("socat", "socat TCP-LISTEN,fork TCP", target),
    socat("socat-64k", "socat -b 65536, the same", target, "-b", "65536"),
    subject("haproxy", "HAProxy, tcp mode, one thread", async () => {
      return tool("haproxy", "-q", "-db", "-f", writeConfig(await freePort(), target));
    }, { silent: true }),
  ];
}

function socat(name: string, title: string, target: string, ...args: string[]): Subject {
  const from = "TCP4-LISTEN:0,bind=127.0.0.1,fork,backlog=511,nodelay";
  const command = () => tool("socat", ...args, from, `TCP4:127.0.0.1:${target},nodelay`);
  return subject(name, title, command, { forks: true, silent: true });
}

function writeConfig(port: number, target: string): string {
  mkdirSync(BIN, { recursive: true });
  const file = join(BIN, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode tcp
  timeout connect 10s
  timeout client 300s
  timeout server 300s
listen relay
  bind 127.0.0.1:${port}
  server echo 127.0.0.1:${target}
`,
  );
  return file;
}
