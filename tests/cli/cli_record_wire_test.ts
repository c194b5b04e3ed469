// --record-wire: TLS as it goes over the network, on the command line.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../support/peers.ts";
import { assertFailed, runClient, runServer, startServer } from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { withCapture } from "../support/tshark.ts";

const WIRE = ["--record-wire", "--redact", "none"];

if (runtime === "Deno") {
  test("cli record wire: on Deno it is one clear line, which names Node", async () => {
    const args = ["--port", "0", "--record", "/nowhere/x", ...WIRE];
    assertFailed(
      await runServer(args),
      2,
      /--record-wire needs Node \(ENOTSUP\): Deno does not give out/,
    );
  });
} else {
  test("cli record wire: secrets are refused where other things are covered", async () => {
    const args = ["--port", "0", "--record", "/nowhere/x", "--record-wire"];
    assertFailed(await runServer(args), 2, /writes the secrets of TLS.*add --redact none/);
  });

  for (const format of ["jsonl", "pcapng"]) {
    test(
      `cli record wire: tshark decrypts both sides of a relay with TLS, as ${format}`,
      async () => {
        const path = mkdtempSync(join(tmpdir(), "plainsocket-"));
        try {
          writeFileSync(join(path, "a.txt"), "hidden");
          await using web = await startServer(
            ["web", path, "--host", "127.0.0.1", "--tls-self-signed"],
          );
          const file = join(path, "x");
          const to = `tls:127.0.0.1:${web.port}`;
          const own = [
            "relay",
            "--to",
            to,
            "--insecure",
            "--tls-self-signed",
            "--host",
            "127.0.0.1",
          ];
          await using relay = await startServer(
            [...own, "-v", "--log", "json", "--record", file, "--record-format", format, ...WIRE],
          );
          const url = `https://localhost:${relay.port}/a.txt`;
          const got = await runProgram(["curl", "-sSk", "--ipv4", url]);
          assert.equal(String(got.stdout), "hidden", got.stderr);
          const { stderr } = await relay.program.stop();
          assert.doesNotMatch(stderr, /TRAFFIC_SECRET|keylog/);
          assert.equal(statSync(file).mode & 0o777, 0o600);
          const pcapng = format === "pcapng" ? readFileSync(file) : await converted(file);
          await withCapture(pcapng, async (capture) => {
            const { packets } = await capture.look(["http.request.uri", "http.file_data"]);
            const uris = packets.map(([uri]) => uri).filter((uri) => uri !== "");
            assert.deepEqual(uris, ["/a.txt", "/a.txt"]);
            assert.equal(packets.filter(([, data]) => data !== "").length, 2);
          });
        } finally {
          rmSync(path, { recursive: true });
        }
      },
      ["curl", "tshark"],
    );
  }
}

/** The pcapng that `client.ts recording` makes of a recording. */
async function converted(file: string): Promise<Uint8Array> {
  const { code, stdout, stderr } = await runClient(["recording", file, "--to", "pcapng"]);
  assert.equal(code, 0, stderr);
  return stdout;
}
