// Messages that nobody thought of, sent to a real server: what it makes of each, on every runtime.

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { garbage } from "../http/http_messages.ts";
import { makeSite } from "../support/site_helpers.ts";
import { connect, startServing, stillServes, type Subject } from "./subject.ts";

/** So many messages are made at a time. */
const BATCH = 2000;

const AT_ONCE = 50;

/** Sends a message, half-closes, and returns the statuses of what comes back. */
async function judge(server: { readonly port: number }, message: string): Promise<string> {
  using conn = await connect(server);
  const p = new Uint8Array(4096);
  let heard = "";
  const hearing = (async () => {
    for (let n; (n = await conn.read(p)) !== null;) {
      heard += Buffer.from(p.subarray(0, n)).toString("latin1");
    }
  })();
  await conn.write(Buffer.from(message, "latin1")).then(() => conn.closeWrite()).catch(() => {});
  await hearing;
  return heard.match(/^HTTP\/1\.1 \d+/gm)?.join() ?? "";
}

/**
 * Sends `total` messages, of which the seed says what they are, each on a connection of its own. Returns
 * a digest of the statuses in all the responses, and how often the server gave which first.
 */
export async function verdicts(
  subject: Subject,
  total: number,
): Promise<{ readonly digest: string; readonly counts: Readonly<Record<string, number>> }> {
  await using site = await makeSite({ "index.html": "hello", read: "read", large: "large" });
  await using server = await startServing(subject, ["web", "--allow-host", "*", "-q", site.root]);
  const hash = createHash("sha256");
  const counts: Record<string, number> = {};
  for (let done = 0; done < total; done += BATCH) {
    const numRuns = Math.min(BATCH, total - done);
    const messages = fc.sample(garbage, { seed: subject.seed + done, numRuns });
    const heard: string[] = [];
    let next = 0;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let i; (i = next++) < messages.length;) heard[i] = await judge(server, messages[i]);
    }));
    for (const statuses of heard) {
      hash.update(`${statuses}\n`);
      const first = statuses.split(",")[0].slice(9) || "none";
      counts[first] = (counts[first] ?? 0) + 1;
    }
  }
  await stillServes(server);
  return { digest: hash.digest("hex").slice(0, 16), counts };
}
