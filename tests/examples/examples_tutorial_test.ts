// The steps of docs/tutorial/: the programs in Python and ours do the same, and talk to each other.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, freePort, OWN_HOST } from "../support/helpers.ts";
import { python, runProgram } from "../support/peers.ts";
import { privilegedPort, withoutRightToPorts } from "../support/privileges.ts";
import { hasIPv6, startServer } from "../support/scripts.ts";
import {
  heardBy,
  KINDS,
  makeCertificate,
  SharedServers,
  startTutorial,
  tutorialCommand,
} from "./tutorial_programs.ts";
import { afterAll, beforeAll, runtime, test } from "../support/runner.deno.ts";

const HOST = "127.0.0.1";

/** What came in pieces, put together: how it was cut is up to the network. */
const joined = (pieces: string) => pieces.replace(/^(received|a piece:?) b?['"]?|['"]?$/gm, "");

/** The servers of the steps, the clients that talk to them, and what these print. */
const STEPS: Readonly<Record<string, readonly [number, string, string, RegExp]>> = {
  "a socket has two addresses": [
    1,
    "hello_server",
    "first_socket",
    /^this end: +\(?'?127\.0\.0\.1\D+\d+\)?\nother end: \(?'?127\.0\.0\.1\D+\d+\)?\n$/,
  ],
  "a message comes back": [3, "hello_server", "hello_client", /^hello, sockets\n$/],
  "the end of the client's side is where the server counts": [
    5,
    "count_server",
    "count_client",
    /^33 bytes\n$/,
  ],
  "three messages stay three": [
    8,
    "shout_server",
    "shout_client",
    /^a message: .ONE.\na message: .TWO.\na message: .AND THIS IS\\nTHE THIRD.\n$/,
  ],
  "a message of a WebSocket comes back": [
    13,
    "websocket_server",
    "websocket_client",
    /^HELLO, BROWSER\n$/,
  ],
  "a datagram comes back": [10, "udp_server", "udp_client", /^HELLO, DATAGRAMS\n$/],
};

/** The servers that serve more than one client. */
const shared = new SharedServers();

beforeAll(() =>
  shared.start({
    ...Object.fromEntries(Object.values(STEPS).map(([, server]) => [server, [HOST, "0"]])),
    echo_server: ["", "0"],
  })
);

afterAll(() => shared[Symbol.asyncDispose]());

for (const [what, [step, server, client, pattern]] of Object.entries(STEPS)) {
  for (const kind of KINDS) {
    test(
      `tutorial: step ${step}: ${what}, whether the client is Python's or ours; the server is ${kind}`,
      async () => {
        const { port } = shared.get(kind, server)!;
        for (const other of KINDS) {
          assert.match(await heardBy(other, client, [HOST, port]), pattern);
        }
      },
      ["python3"],
    );
  }
}

for (const kind of KINDS) {
  test(
    `tutorial: step 4: all bytes come back, in whatever pieces, from the echo server that is ${kind}`,
    async () => {
      const started = shared.get(kind, "echo_server")!;
      const python = await heardBy("Python's", "echo_client", [HOST, started.port]);
      assert.match(python, /^received b'This is/);
      assert.equal(
        joined(python).replaceAll("\n", ""),
        "This is the message.  It will be repeated.",
      );
      const ours = await runProgram([
        ...tutorialCommand("ours", "echo_client"),
        HOST,
        `${started.port}`,
      ]);
      assert.match(ours.stderr, /received " repeated\."\nclosing socket\n$/);
      for (const other of KINDS) {
        const pieces = await heardBy(other, "three_messages", [HOST, started.port]);
        assert.equal(joined(pieces).replaceAll("\n", ""), "onetwoand this is the third");
      }
    },
    ["python3"],
  );

  test(
    `tutorial: step 6: the easy client finds the server that is ${kind}, and says where`,
    async () => {
      const started = shared.get(kind, "echo_server")!;
      const message = "This is the message.  It will be repeated.";
      const python = await heardBy("Python's", "easy_client", [HOST, started.port]);
      assert.equal(python, `AF_INET 127.0.0.1\nconnected to 127.0.0.1\n${message}`);
      assert.equal(await heardBy("ours", "easy_client", [HOST, started.port]), message);
    },
    ["python3"],
  );
}

/** Who can connect to a server on a host, by the table of step 6. */
const REACHED: Readonly<Record<string, { IPv4: boolean; IPv6: boolean }>> = {
  "127.0.0.1": { IPv4: true, IPv6: false },
  "0.0.0.0": { IPv4: true, IPv6: false },
  "::1": { IPv4: false, IPv6: true },
  "::": { IPv4: true, IPv6: true },
  "": { IPv4: true, IPv6: true },
};

/** Whether somebody listens there. */
async function answers(host: string, port: number): Promise<boolean> {
  try {
    (await systemTransport.connect({ host, port })).close();
    return true;
  } catch {
    return false;
  }
}

test("tutorial: step 6: a server is reached at the addresses that the table says", async () => {
  if (!await hasIPv6()) return;
  for (const [host, { IPv4, IPv6 }] of Object.entries(REACHED)) {
    const listener = await systemTransport.listen({ host });
    try {
      const { port } = listener.addr;
      const reached = [await answers("127.0.0.1", port), await answers("::1", port)];
      assert.deepEqual(reached, [IPv4, IPv6], `'${host}'`);
    } finally {
      listener.close();
    }
  }
  await using zeros = await startTutorial("Python's", "echo_server", ["0.0.0.0", "0"]);
  for (const { url, port } of [shared.get("Python's", "echo_server")!, zeros]) {
    const reached = [await answers("127.0.0.1", port), await answers("::1", port)];
    assert.deepEqual(reached, [true, false], `${url} in Python`);
  }
}, ["python3"]);

/** Node 20 has no threads that share a port. */
const WAYS = [
  ["Python's", "threads"],
  ["Python's", "processes"],
  ["Python's", "loop"],
  ...runtime === "Deno" ? [["ours", "threads"] as const] : [],
  ["ours", "processes"],
  ["ours", "loop"],
] as const;

for (const [kind, way] of WAYS) {
  test(
    `tutorial: step 7: a client that says nothing holds nobody up: ${way}, ${kind}`,
    async () => {
      await using started = await startTutorial(kind, "three_ways", [way, HOST, "0"]);
      const address = { host: HOST, port: started.port };
      using silent = await systemTransport.connect(address);
      assert.equal(
        await heardBy("Python's", "hello_client", [HOST, started.port]),
        "hello, sockets\n",
      );
      await silent.write(bytes("at last"));
      assert.equal(await silent.read(new Uint8Array(64)), 7);
    },
    ["python3"],
  );
}

test(
  "tutorial: step 8: ours and Python's refuse a message that claims to be too long",
  async () => {
    for (const kind of KINDS) {
      const started = shared.get(kind, "shout_server")!;
      using conn = await systemTransport.connect({ host: HOST, port: started.port });
      await conn.write(bytes("GET / HTTP/1.1\r\n"));
      await started.program.stdout.until(/1195725856 bytes/);
      assert.match(await heardBy("Python's", "shout_client", [HOST, started.port]), /'ONE'/);
    }
  },
  ["python3"],
);

test("tutorial: step 10: a client without an answer gives up, in both languages", async () => {
  using silent = await systemTransport.listenDatagram({ host: HOST });
  await Promise.all(KINDS.map(async (kind) => {
    const command = [...tutorialCommand(kind, "udp_client"), HOST, String(silent.addr.port)];
    const { code, stderr } = await runProgram(command);
    assert.deepEqual([code, stderr], [1, "no answer within two seconds\n"]);
  }));
}, ["python3"]);

test(
  "tutorial: step 11: both languages trust the certificate that is made, and no other",
  async () => {
    const [directory, other] = ["a", "b"].map(() => mkdtempSync(join(tmpdir(), "plainsocket-")));
    try {
      await heardBy("ours", "certificate", [directory]);
      await makeCertificate(other);
      for (const kind of KINDS) {
        await using started = await startTutorial(kind, "tls_server", [
          "localhost",
          "0",
          directory,
        ]);
        const args = ["localhost", String(started.port)];
        for (const client of KINDS) {
          const heard = await heardBy(client, "tls_client", [...args, directory]);
          assert.equal(heard, "TLSv1.3\nhello, secret\n");
        }
        // The server does not see which authorities a client trusts: one client of each kind is enough.
        const distrust = await runProgram([
          ...tutorialCommand(kind, "tls_client"),
          ...args,
          other,
        ]);
        assert.equal(distrust.code, 1);
        assert.match(distrust.stderr, /certificate/i);
      }
    } finally {
      for (const path of [directory, other]) rmSync(path, { recursive: true });
    }
  },
  ["python3"],
);

for (const kind of KINDS) {
  test(
    `tutorial: step 12: the server that lasts closes the silent, outlives a reset, and stops when asked: ${kind}`,
    async () => {
      await using started = await startTutorial(kind, "lasting_server", [HOST, "0", "2"]);
      const { port, program } = started;
      using silent = await systemTransport.connect({ host: HOST, port });
      assert.equal(await silent.read(new Uint8Array(64)), null);
      const rude = await systemTransport.connect({ host: HOST, port });
      await rude.write(bytes("x".repeat(1000)));
      rude.reset();
      assert.equal(await heardBy("Python's", "hello_client", [HOST, port]), "hello, sockets\n");
      const { code, stdout } = await program.stop();
      assert.equal(code, 0);
      assert.match(stdout.toString(), /timed out|ETIMEDOUT/);
      assert.match(stdout.toString(), /^stopping: /m);
    },
    ["python3"],
  );
}

test(
  "tutorial: step 12: each mistake has the name that the table says, in both languages",
  async () => {
    await using taken = await startServer(["--host", HOST]);
    const at = async (
      kind: typeof KINDS[number],
      name: string,
      port: number | string,
      host = HOST,
    ) => {
      const command = [...tutorialCommand(kind, name), host, String(port)];
      // A name server that cannot be reached is not waited for.
      const env = { RES_OPTIONS: "timeout:1 attempts:1" };
      return (await runProgram(withoutRightToPorts(command), { env })).stderr;
    };
    const free = await freePort();
    assert.match(await at("Python's", "lasting_server", taken.port), /Address already in use/);
    assert.match(await at("ours", "lasting_server", taken.port), /EADDRINUSE/);
    const privileged = privilegedPort();
    if (privileged > 0) {
      assert.match(await at("Python's", "lasting_server", privileged), /Permission denied/);
      assert.match(await at("ours", "lasting_server", privileged), /EACCES/);
    }
    assert.match(await at("Python's", "hello_client", free, "nowhere.invalid"), /socket\.gaierror/);
    assert.match(await at("ours", "hello_client", free, "nowhere.invalid"), /ENOTFOUND|EAI_AGAIN/);
    assert.match(await at("Python's", "hello_client", free, OWN_HOST), /ConnectionRefusedError/);
    assert.match(await at("ours", "hello_client", free, OWN_HOST), /ECONNREFUSED/);
    // It listens on 127.0.0.1 alone, and nobody is at ::1.
    await assert.rejects(systemTransport.connect({ host: "::1", port: taken.port }), {
      code: /^(ECONNREFUSED|EADDRNOTAVAIL)$/,
    });
  },
  ["python3"],
);

test(
  "tutorial: step 12: a peer that breaks off is a reset, and sending to it a broken pipe",
  async () => {
    await using peer = await python(`
c = socket.create_connection(l.getsockname())
def break_off():
    s, _ = l.accept()
    s.recv(1, socket.MSG_PEEK) # what is not read when it closes makes it a reset
    s.close()
c.sendall(b"?")
break_off()
try: c.recv(1)
except ConnectionResetError: say("ConnectionResetError")
try: c.sendall(b"?")
except BrokenPipeError: say("BrokenPipeError")
break_off()
`);
    assert.equal(await peer.hear(), "ConnectionResetError");
    assert.equal(await peer.hear(), "BrokenPipeError");
    using conn = await systemTransport.connect(peer.endpoint);
    await conn.write(bytes("?"));
    await assert.rejects(conn.read(new Uint8Array(1)), { code: "ECONNRESET" });
  },
  ["python3"],
);

test("tutorial: the module of frames refuses what is cut off", async () => {
  const started = shared.get("Python's", "shout_server")!;
  using conn = await systemTransport.connect({ host: HOST, port: started.port });
  await conn.write(new Uint8Array([0, 0, 0, 9, 65]));
  await conn.closeWrite();
  await started.program.stdout.until(/ended within a message/);
}, ["python3"]);
