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
   * streams, each by its protocol and number.
   */
  async look(names: readonly string[] = [], ...streams: Stream[]): Promise<Findings> {
    const { rows, bytes } = await this.#fields(names, streams);
    return { ...findingsIn(rows, names.length), streams: bytes };
  }

  /**
   * The same for a file of several sections, each a capture: to start tshark takes longer than all else
   * that it does. It decrypts with the secrets of all of them, and numbers their streams together.
   */
  async lookBySection(names: readonly string[], ...streams: Stream[]): Promise<SectionFindings> {
    const { rows, bytes, hosts } = await this.#fields(["frame.section_number", ...names], streams);
    const sections: string[][][] = [];
    for (const [number, ...values] of rows) (sections[Number(number) - 1] ??= []).push(values);
    return {
      sections: sections.map((rows) => findingsIn(rows, names.length)),
      streams: bytes,
      hosts,
    };
  }

  async #fields(names: readonly string[], streams: readonly Stream[]) {
    const follow = streams.flatMap(([protocol, number]) => [
      "-z",
      `follow,${protocol},raw,${number}`,
    ]);
    const expert = ["_ws.expert.severity", "_ws.expert.message"];
    const wanted = [...names, ...expert].flatMap((name) => ["-e", name]);
    const text = await this.run("-T", "fields", ...FORM, ...wanted, ...follow, "-z", "hosts");
    const [packets, hosts] = text.split(HOSTS);
    const followed = hosts.split(/^\n?=+\n/m);
    const bytes = streams.map(([protocol, number]) => {
      // The filter of TLS names the stream of TCP.
      const head = new RegExp(`^Follow: ${protocol},raw\nFilter: \\w+\\.stream eq ${number}$`, "m");
      return bytesOf(followed.find((section) => head.test(section)) ?? "");
    });
    return { rows: linesOf(packets).map((line) => line.split("|")), bytes, hosts };
  }
}

/** A stream of a capture, by its protocol and its number. */
export type Stream = readonly [protocol: string, number: number];

/** Where tshark begins to say which addresses have names, and what was said on the streams. */
const HOSTS = /^# TShark hosts output\n/m;

/** What is found of the packets of a capture. */
export interface PacketFindings {
  /** The fields of each packet, in the order of their names. */
  readonly packets: readonly (readonly string[])[];
  /** What tshark warns of, or calls an error, by what it says. */
  readonly complaints: readonly string[];
}

/** What one look into a capture finds. */
export interface Findings extends PacketFindings {
  /** The bytes of each stream: of the side that began it, and of the other. */
  readonly streams: readonly (readonly Buffer[])[];
}

/** What one look into a file of several sections finds. */
export interface SectionFindings extends Pick<Findings, "streams"> {
  readonly sections: readonly PacketFindings[];
  /** The names of addresses, as lines of /etc/hosts. */
  readonly hosts: string;
}

/** The packets in rows that begin with so many fields, and what tshark says of them. */
function findingsIn(rows: readonly (readonly string[])[], fields: number): PacketFindings {
  return {
    packets: rows.map((row) => row.slice(0, fields)),
    complaints: complaintsIn(rows.map((row) => row.slice(fields))),
  };
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
export async function withCapture<T>(
  pcapng: Uint8Array,
  use: (capture: Capture, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "pcapng-"));
  try {
    const file = join(folder, "x.pcapng");
    await writeFile(file, pcapng);
    return await use(new Capture(file), folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
