// deploy/haproxy_chat.cfg: three servers that are one chat, of which one is killed and one drains, while
// people talk.

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { formatAddr } from "../../lib/base/addr.ts";
import { dialWebSocket, type WsConn } from "../../lib/http/ws/mod.ts";
import type { ChatMessage, ChatPosition } from "../../lib/protocols/chat/mod.ts";
import { OWN_HOST, until } from "../support/helpers.ts";
import {
  adapted,
  assertValid,
  commandHaproxy,
  type Haproxy,
  startHaproxy,
} from "../support/haproxy.ts";
import { Nats } from "../support/nats.ts";
import { Program } from "../support/peers.ts";
import { type ServerScript, startServer, startServerProcess } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const CONFIGURATION = "deploy/haproxy_chat.cfg";

/** The name that pages ask for. */
const SITE = "chat.example";

/** Where the terminals are. */
const TERMINALS = "127.0.0.9";

/** A server of the chat. */
interface Chat {
  readonly server: ServerScript;
  readonly pagePort: number;
}

/** Waits until a server that was started has its page, too. */
async function chatOf(server: ServerScript): Promise<Chat> {
  const [, port] = await server.program.stdout.until(/^http:\S+:(\d+)\/\n/m);
  await server.program.stderr.until(/^bus \S+: connected$/m);
  return { server, pagePort: Number(port) };
}

/** The configuration, for these servers. */
function configuration(chats: readonly Chat[]): string {
  const servers = chats.flatMap(({ server, pagePort }, i) => [
    [`10.0.0.1${i + 1}:10003`, `127.0.0.1:${pagePort}`],
    [`10.0.0.1${i + 1}:10002`, `127.0.0.1:${server.port}`],
  ]);
  return adapted(CONFIGURATION, {
    "bind :80": "bind PORT(site)",
    "bind :10002": "bind PORT(lines)",
    "option httpchk": "option httpchk\n  option log-health-checks",
    // A server is slow when the machine is busy with others. Who is killed refuses connections at once.
    "timeout connect 3s": "timeout connect 3s\n  timeout check 60s",
    ...Object.fromEntries(servers),
  });
}

/** A page: it remembers its position, and comes back with it. */
class Page {
  readonly #url: string;
  #position: ChatPosition | undefined;
  /** The lines that it has heard, `gap` where some are missing. */
  readonly heard: string[] = [];
  name = "";
  /** Its address. */
  client = "";
  ws!: WsConn;

  constructor({ ports }: Haproxy) {
    this.#url = `ws://${OWN_HOST}:${ports.site}/ws`;
  }

  /** Connects, and waits until it is in the room. */
  async connect(): Promise<this> {
    const { epoch, offset } = this.#position ?? {};
    const query = epoch === undefined ? "" : `?epoch=${epoch}&offset=${offset}`;
    this.ws = await dialWebSocket(this.#url + query, {
      headers: ["Host", SITE, "Origin", `http://${SITE}`, "X-Forwarded-For", "192.0.2.66"],
    });
    this.client = formatAddr(this.ws.localAddr);
    this.#hear(JSON.parse(await this.ws.read() as string));
    return this;
  }

  /** Listens until a line is this one. */
  async hear(last: string): Promise<void> {
    while (this.heard.at(-1) !== last) {
      const text = await this.ws.read();
      assert.notEqual(text, null, `${this.name} ended before '${last}'`);
      this.#hear(JSON.parse(text as string));
    }
  }

  /** Listens until the connection is at its end. */
  async end(): Promise<void> {
    try {
      for await (const text of this.ws) this.#hear(JSON.parse(text as string));
    } catch {
      // It was reset.
    }
    await this.ws.closed;
  }

  #hear(message: ChatMessage): void {
    if ("position" in message) this.#position = message.position ?? this.#position;
    if (message.type === "welcome") this.name = message.name;
    if (message.type === "said") this.heard.push(message.text);
    if (message.type === "gap") this.heard.push("gap");
  }
}

/** A terminal that is in the room. */
async function terminal({ ports }: Haproxy): Promise<{ nc: Program; name: string }> {
  const to = `TCP4:${OWN_HOST}:${ports.lines},bind=${TERMINALS}`;
  const nc = new Program(["socat", "-", to], { pipe: true });
  const [, name] = await nc.stdout.until(/You are (\S+);/);
  return { nc, name };
}

/** Which of these servers has logged that a client came. */
async function at(chats: readonly Chat[], line: string): Promise<Chat> {
  const find = () => chats.find(({ server }) => server.program.stderr.text.includes(line));
  await until(() => find() !== undefined, `'${line.trimEnd()}' in a log`);
  return find()!;
}

test("deploy/haproxy_chat.cfg: HAProxy takes it as it is", async () => {
  await assertValid(CONFIGURATION);
}, ["haproxy"]);

test(
  "deploy/haproxy_chat.cfg: one server is killed, one drains, and pages get exactly what they missed",
  async () => {
    await using nats = await Nats.start("--jetstream");
    const args = ["chat", "--ws", "--host", "127.0.0.1", "--port", "0"];
    args.push("--proxy-protocol", "127.0.0.1", "--allow-origin", `http://${SITE}`);
    args.push("--bus", nats.url, "--history", "100");
    const killed = await startServerProcess(args);
    await using _killed = killed;
    const draining = await startServer(args);
    await using _draining = draining;
    const staying = await startServer(args);
    await using _staying = staying;
    const chats = await Promise.all([killed, draining, staying].map(chatOf));
    const [, b, c] = chats;
    const own = mkdtempSync(join(tmpdir(), "plainsocket-haproxy-"));
    await using haproxy = await startHaproxy(configuration(chats), own);

    // Each server has one page and one terminal, and knows their own addresses.
    const pages = new Map<Chat, Page>();
    const terminals = new Map<Chat, Program>();
    try {
      for (const _ of chats) {
        const page = await new Page(haproxy).connect();
        pages.set(await at(chats, `${page.name} is here, from ${page.client}\n`), page);
        const { nc, name } = await terminal(haproxy);
        terminals.set(await at(chats, `${name} is here, from ${TERMINALS}:`), nc);
      }
      assert.deepEqual([pages.size, terminals.size], [3, 3]);
      const [pageA, pageB, pageC] = chats.map((chat) => pages.get(chat)!);
      const [ncA, ncB, ncC] = chats.map((chat) => terminals.get(chat)!);

      ncC.stdin.write("one\n");
      for (const page of pages.values()) await page.hear("one");
      for (const nc of [ncA, ncB]) await nc.stdout.until(/: one\n/);

      process.kill(killed.program.pid, "SIGKILL");
      // Until then the kernel goes on to close what it has open, and accepts who comes.
      await killed.program.exit();
      await pageA.end();
      ncB.stdin.write("two\n");
      await pageC.hear("two");
      await pageC.ws.write("three");
      for (const page of [pageB, pageC]) await page.hear("three");
      await pageA.connect();
      await pageA.hear("three");
      const moved = await at([b, c], `${pageA.name} is here, from ${pageA.client}\n`);

      assert.equal((await commandHaproxy(own, "set server pages/b state drain")).trim(), "");
      // Its terminals follow: who comes now is sent to the last server.
      const late = await terminal(haproxy);
      await using lateNc = late.nc;
      await at([c], `${late.name} is here, from ${TERMINALS}:`);
      const left = moved === b ? [pageA, pageB] : [pageB];
      const [exit] = await Promise.all([
        draining.program.stop(),
        ...left.map((page) => page.end()),
      ]);
      assert.equal(exit.code, 0, exit.stderr);
      await ncB.stdout.until(/The server stops\. Goodbye!/);
      lateNc.stdin.write("four\n");
      await pageC.hear("four");
      for (const page of left) await page.connect();
      for (const page of left) await at([c], `${page.name} is here, from ${page.client}\n`);
      await pageC.ws.write("five");
      for (const page of pages.values()) await page.hear("five");

      const all = ["one", "two", "three", "four", "five"];
      for (const page of pages.values()) assert.deepEqual(page.heard, all, page.name);
      await ncC.stdout.until(/: five\n/);
      const heard = [...ncC.stdout.text.matchAll(/^\S+: (.*)$/gm)].map(([, line]) => line);
      assert.deepEqual(heard, all.slice(1));
      // The checks of HAProxy are no guests, and their PROXY protocol is fine.
      await haproxy.program.stderr.until(/Health check for server pages\/c succeeded/);
      const log = staying.program.stderr.text;
      const known = [...pages.values()].map(({ client }) => client);
      const guests = [...log.matchAll(/ is here, from (\S+)$/gm)].map(([, client]) => client);
      const strangers = guests.filter((client) =>
        !client.startsWith(`${TERMINALS}:`) && !known.includes(client)
      );
      assert.deepEqual(strangers, []);
      assert.doesNotMatch(log, /PROXY protocol/);
      for (const page of pages.values()) await page.ws.close();
    } finally {
      for (const nc of terminals.values()) await nc[Symbol.asyncDispose]();
    }
  },
  ["haproxy", "nats-server", "socat"],
);
