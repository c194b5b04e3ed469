// What tshark makes of a capture.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./peers.ts";

/** Has tshark say what is wrong with checksums, which it does not look at otherwise. */
const CHECKED = ["ip", "tcp", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);

/** From this severity on it is a warning or an error. */
const WARNING = 0x600000;

/** A capture in a file. */
export class Capture {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** What tshark prints. */
  async run(...args: string[]): Promise<string> {
    const command = ["tshark", "-n", "-r", this.file, ...CHECKED, ...args];
    const { code, stdout, stderr } = await runProgram(command);
    assert.equal(code, 0, String(stderr));
    return String(stdout);
  }

  /** The fields of the packets that a filter lets through, a line for each. */
  async fields(filter: string, ...names: string[]): Promise<string[][]> {
    const wanted = names.flatMap((name) => ["-e", name]);
    const form = ["-T", "fields", "-E", "separator=|", "-E", "aggregator=~"];
    const text = await this.run("-Y", filter, ...form, ...wanted);
    return text.split("\n").slice(0, -1).map((line) => line.split("|"));
  }

  /** What tshark warns of, or calls an error, by what it says. */
  async complaints(): Promise<string[]> {
    const found = await this.fields(
      `_ws.expert.severity >= ${WARNING}`,
      "_ws.expert.severity",
      "_ws.expert.message",
    );
    return [
      ...new Set(found.flatMap(([severities, messages]) => {
        const all = messages.split("~");
        return severities.split("~").flatMap((n, i) => Number(n) >= WARNING ? [all[i]] : []);
      })),
    ];
  }

  /** The bytes of each direction of a stream: of the one that began it, and of the other. */
  async followed(protocol: string, stream: number): Promise<Buffer[]> {
    const text = await this.run("-q", "-z", `follow,${protocol},raw,${stream}`);
    const lines = text.split("\n").filter((line) => /^\t?[0-9a-f]+$/.test(line));
    return [false, true].map((answer) =>
      Buffer.concat(
        lines.filter((line) => line.startsWith("\t") === answer)
          .map((line) => Buffer.from(line.trim(), "hex")),
      )
    );
  }
}

/** Runs `use` with a capture, in a folder of its own. */
export async function withCapture(
  pcapng: Uint8Array,
  use: (capture: Capture, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pcapng-"));
  try {
    const file = join(folder, "x.pcapng");
    await writeFile(file, pcapng);
    await use(new Capture(file), folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
