// What tshark makes of a capture.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./peers.ts";

/** Has tshark say what is wrong with checksums, which it does not look at otherwise. */
const CHECKED = ["ip", "tcp", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);

/** How fields are printed. */
const FORM = ["-E", "separator=|", "-E", "aggregator=~"];

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

  /**
   * Starts tshark once for the fields of all packets, what is wrong with them, and the bytes of some
   * streams of a protocol, by their numbers.
   */
  async look(
    names: readonly string[] = [],
    [protocol, ...streams]: readonly [string, ...number[]] = ["tcp"],
  ): Promise<Findings> {
    const follow = streams.flatMap((stream) => ["-z", `follow,${protocol},raw,${stream}`]);
    const expert = ["_ws.expert.severity", "_ws.expert.message"];
    const wanted = [...names, ...expert].flatMap((name) => ["-e", name]);
    const text = await this.run("-T", "fields", ...FORM, ...wanted, ...follow);
    const [packets, ...sections] = text.split(/^\n?=+\n/m);
    const rows = linesOf(packets).map((line) => line.split("|"));
    const bytes = streams.map((stream) => {
      // That of TLS names the stream of TCP.
      const filter = new RegExp(`^Filter: \\w+\\.stream eq ${stream}$`, "m");
      return bytesOf(sections.find((section) => filter.test(section)) ?? "");
    });
    return {
      packets: rows.map((row) => row.slice(0, names.length)),
      complaints: complaintsIn(rows.map((row) => row.slice(names.length))),
      streams: bytes,
    };
  }
}

/** What one look into a capture finds. */
export interface Findings {
  /** The fields of each packet, in the order of their names. */
  readonly packets: readonly (readonly string[])[];
  /** What tshark warns of, or calls an error, by what it says. */
  readonly complaints: readonly string[];
  /** The bytes of each stream: of the side that began it, and of the other. */
  readonly streams: readonly (readonly Buffer[])[];
}

const linesOf = (text: string) => text.split("\n").slice(0, -1);

function complaintsIn(found: readonly (readonly string[])[]): string[] {
  const complaints = found.flatMap(([severities, messages]) => {
    const all = messages.split("~");
    return severities.split("~").flatMap((n, i) => Number(n) >= WARNING ? [all[i]] : []);
  });
  return [...new Set(complaints)];
}

/** The bytes of both sides of a stream that tshark has followed. */
function bytesOf(section: string): Buffer[] {
  const lines = section.split("\n").filter((line) => /^\t?[0-9a-f]+$/.test(line));
  return [false, true].map((answer) =>
    Buffer.concat(
      lines.filter((line) => line.startsWith("\t") === answer)
        .map((line) => Buffer.from(line.trim(), "hex")),
    )
  );
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
