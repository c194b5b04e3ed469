/**
 * Two things that take large files: how fast the client downloads one, beside curl, and how much
 * memory the server takes while it sends many.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../scripts/program.ts";
import { sleep } from "../common/children.ts";
import { family, resident } from "../common/processes.ts";
import { type Spread, spread } from "../common/stats.ts";
import { buildForNode, node, tool } from "../common/tools.ts";
import { startSubject } from "./rounds.ts";
import { type Subject, SUBJECTS } from "./subjects.ts";

/** A client's seconds for a download, against curl's of the same round. */
export interface DownloadResult {
  readonly title: string;
  /** Seconds. */
  readonly seconds: Spread;
  /** curl's seconds divided by its own: above 1 is faster. */
  readonly toCurl: Spread;
}

async function clients(): Promise<[title: string, command: string[]][]> {
  await buildForNode();
  const script = join(ROOT, ".node/package/out/client.js");
  return [
    ["curl", tool("curl", "-s")],
    ["client.ts on Deno", [Deno.execPath(), "run", "-A", "--no-check", join(ROOT, "client.ts")]],
    ["client on Node 20", [await node(20), script]],
    ["client on Node 24", [await node(24), script]],
  ];
}

async function finished(command: readonly string[]): Promise<void> {
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}`);
}

/** Downloads 1 GiB from nginx by each client, in turns. */
export async function measureDownloads(dir: string, rounds: number): Promise<DownloadResult[]> {
  const nginx = await startSubject(
    SUBJECTS.find(({ name }) => name === "nginx")!,
    "/1k.html",
    dir,
    [],
  );
  const file = join(dir, "downloaded");
  const all = await clients();
  const seconds = all.map((): number[] => []);
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [i, [title, command]] of all.entries()) {
        rmSync(file, { force: true });
        const args = [`http://127.0.0.1:${nginx.port}/1g.bin`, "-o", file];
        const begin = performance.now();
        await finished([...command, ...title === "curl" ? args : ["get", ...args, "-q"]]);
        seconds[i].push((performance.now() - begin) / 1000);
      }
    }
  } finally {
    await nginx.child.stop();
    rmSync(file, { force: true });
  }
  return all.map(([title], i) => ({
    title,
    seconds: spread(seconds[i])!,
    toCurl: spread(seconds[i].map((own, round) => seconds[0][round] / own))!,
  }));
}

/** How many bytes more than idle a server has resident while it sends 256 MiB to 50 clients. */
export async function measureMemory(subject: Subject, dir: string): Promise<number> {
  const server = await startSubject(subject, "/1k.html", dir, []);
  const url = `http://127.0.0.1:${server.port}/256m.bin`;
  const download = () => finished(tool("curl", "-s", "-o", "/dev/null", url));
  try {
    await download();
    await sleep(1000);
    const idle = resident(family(server.child.pid));
    let most = idle;
    let over = false;
    const downloads = Array.from({ length: 50 }, download);
    const all = Promise.all(downloads).finally(() => over = true);
    while (!over) {
      most = Math.max(most, resident(family(server.child.pid)));
      await sleep(20);
    }
    await all;
    return most - idle;
  } finally {
    await server.child.stop();
  }
}
