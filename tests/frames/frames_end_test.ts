// The table of ends in docs/frames.md, cell by cell, over sockets and in memory.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  delimiter,
  fixedLength,
  FrameError,
  FrameReader,
  type Framing,
  lengthPrefix,
  lines,
  untilClose,
} from "../../lib/frames/mod.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Transport } from "../../lib/net/transport.ts";
import { binary, text } from "../support/frame_helpers.ts";
import { bytes, pair } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

/** How a framing's streams end in each column: a whole frame, and the beginning of another. */
interface Row {
  readonly framing: Framing;
  /** A whole frame with the payload `"ab"`. */
  readonly whole: string;
  /** What follows it, by column; a dash in the table for those that are missing. */
  readonly ends: Readonly<Record<string, string>>;
  /** What a last frame that counts is called. */
  readonly noun: string;
}

const [BETWEEN, LENGTH, PAYLOAD, END] = [
  "between two frames",
  "within the length",
  "within the payload",
  "within the end",
];

function prefixed(type: "u8" | "u16" | "u32" | "varint", head: string, pieces: string[]): Row {
  const [length, payload] = pieces;
  const ends = { [BETWEEN]: "", [PAYLOAD]: payload, ...length && { [LENGTH]: length } };
  return { framing: lengthPrefix(type), whole: `${head}ab`, ends, noun: "frame" };
}

const ROWS: Readonly<Record<string, Row>> = {
  lines: {
    framing: lines(),
    whole: "ab\n",
    ends: { [BETWEEN]: "", [PAYLOAD]: "c", [END]: "c\r" },
    noun: "line",
  },
  delimiter: {
    framing: delimiter(bytes("\r\n")),
    whole: "ab\r\n",
    ends: { [BETWEEN]: "", [PAYLOAD]: "c", [END]: "c\r" },
    noun: "frame",
  },
  fixedLength: {
    framing: fixedLength(2),
    whole: "ab",
    ends: { [BETWEEN]: "", [PAYLOAD]: "c" },
    noun: "frame",
  },
  u8: prefixed("u8", "\x02", ["", "\x02c"]),
  u16: prefixed("u16", "\0\x02", ["\0", "\0\x02c"]),
  u32: prefixed("u32", "\0\0\0\x02", ["\0\0\0", "\0\0\0\x02c"]),
  varint: prefixed("varint", "\x02", ["\x82", "\x02c"]),
  untilClose: {
    framing: untilClose(),
    whole: "",
    ends: { [BETWEEN]: "", [PAYLOAD]: "c" },
    noun: "frame",
  },
};

/** The cells of the document's table of ends, by row and column. */
function readTable(): Map<string, Map<string, string>> {
  const section = /^## When the stream ends$[^]*?^## /m.exec(
    readFileSync("docs/frames.md", "utf8"),
  )![0];
  const [head, , ...rows] = section.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  return new Map(
    rows.map(([name, ...cells]) => [name, new Map(cells.map((cell, i) => [head[i + 1], cell]))]),
  );
}

/** What a reader gives at the end of such a stream, in the words of the table. */
async function observe(transport: Transport, row: Row, end: string): Promise<string> {
  using ends = await pair(transport);
  await ends.client.write(binary(row.whole + end));
  await ends.client.closeWrite();
  const reader = new FrameReader(ends.server, row.framing);
  if (row.whole !== "") assert.equal(text((await reader.read())!), "ab");
  try {
    const last = await reader.read();
    if (last === null) return "`null`";
    const payload = text(last);
    assert.equal(payload, end);
    assert.equal(await reader.read(), null);
    assert.equal(await reader.read(), null);
    assert.equal(reader.rest.length, 0);
    if (payload === "") return `an empty ${row.noun}, then \`null\``;
    return `what came${
      payload.endsWith("\r") ? ", with its CR," : ""
    } as a ${row.noun}, then \`null\``;
  } catch (error) {
    assert.ok(error instanceof FrameError);
    assert.equal(text(reader.rest), end);
    await assert.rejects(reader.read(), { code: error.code });
    return `\`${error.code}\``;
  }
}

const table = readTable();

test("docs/frames.md: the table of ends has every framing", () => {
  assert.deepEqual([...table.keys()], Object.keys(ROWS));
});

for (const [name, row] of Object.entries(ROWS)) {
  for (const column of [BETWEEN, LENGTH, PAYLOAD, END]) {
    test(`frames: ${name}, a stream that ends ${column}`, async () => {
      const end = row.ends[column];
      for (const transport of [systemTransport, new MemoryTransport()]) {
        const seen = end === undefined ? "–" : await observe(transport, row, end);
        assert.equal(seen, table.get(name)!.get(column), transport.name);
      }
    });
  }
}
