// The odd peers that the contract suite asks for, for each kind of transport.

import { readdirSync } from "node:fs";
import type { Conn, Endpoint, Transport } from "../../lib/transport.ts";
import { bytes } from "../helpers.ts";
import { python } from "../peers.ts";

type Resetting = AsyncDisposable & { conn: Conn; reset(data: string): void };
type Unanswered = AsyncDisposable & { endpoint: Endpoint };

/** A peer in Python, which can send RST whatever the runtime under test can. */
export async function systemResetting(transport: Transport): Promise<Resetting> {
  const peer = await python(`
s, _ = l.accept()
s.sendall(sys.stdin.readline().rstrip("\\n").encode())
reset(s)
sys.stdin.read()
`);
  const conn = await transport.connect(peer.endpoint);
  return {
    conn,
    reset: (data) => peer.say(data),
    async [Symbol.asyncDispose]() {
      conn.close();
      await peer[Symbol.asyncDispose]();
    },
  };
}

/** A socket with no room in its backlog: Linux drops further SYNs. */
export async function systemUnanswered(): Promise<Unanswered> {
  const peer = await python(
    `
filler = socket.socket()
filler.connect(l.getsockname())
say("full")
sys.stdin.read()
`,
    0,
  );
  await peer.hear();
  return { endpoint: peer.endpoint, [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() };
}

export function countDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

export async function memoryResetting(transport: Transport): Promise<Resetting> {
  const listener = await transport.listen();
  const [conn, peer] = await Promise.all([transport.connect(listener.addr), listener.accept()]);
  return {
    conn,
    async reset(data) {
      await peer.write(bytes(data));
      peer.reset();
    },
    [Symbol.asyncDispose]() {
      conn.close();
      listener.close();
      return Promise.resolve();
    },
  };
}

export async function memoryUnanswered(transport: Transport): Promise<Unanswered> {
  const listener = await transport.listen({ backlog: 1 });
  const waiting = await transport.connect(listener.addr);
  return {
    endpoint: listener.addr,
    [Symbol.asyncDispose]() {
      waiting.close();
      listener.close();
      return Promise.resolve();
    },
  };
}
