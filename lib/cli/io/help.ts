/**
 * Help texts on terminals that are narrower than the texts were written for.
 *
 * @module
 */

/** The least width of the second column. If it were less, the text goes below the first. */
const NARROWEST_COLUMN = 28;

/** The indents of a continued line, and of text below the first column. */
const [HANGING, BELOW] = [4, 8];

/** A line of a help text: what is indented stands for itself, and may have a second column. */
interface Row {
  readonly indent: number;
  /** The start of the second column. */
  column: number;
  readonly left: string;
  right: string;
}

/**
 * Breaks the lines of a help text between words, so that none has more than `width` characters but for
 * words that are longer. What is not indented is filled anew; of what is, the columns stay, or what is
 * in the second goes below the first.
 */
export function fitHelp(help: string, width: number): string {
  if (help.split("\n").every((line) => line.length <= width)) return help;
  return help.split("\n\n").map((block) => fitBlock(block, width)).join("\n\n");
}

function fitBlock(block: string, width: number): string {
  const out: string[] = [];
  let paragraph: string[] = [];
  let rows: Row[] = [];
  const endParagraph = () => {
    if (paragraph.length > 0) out.push(...filled(paragraph.join(" "), 0, 0, width));
    paragraph = [];
  };
  const endRows = () => {
    out.push(...fitRows(rows, width));
    rows = [];
  };
  for (const line of block.split("\n")) {
    const row = rowOf(line, rows.at(-1));
    if (row === undefined) {
      endRows();
      paragraph.push(line);
    } else {
      endParagraph();
      if (row !== rows.at(-1)) rows.push(row);
    }
  }
  endParagraph();
  endRows();
  // An empty line at the end of the text is one, still.
  return block.endsWith("\n") ? `${out.join("\n").trimEnd()}\n` : out.join("\n");
}

/** Reads a line that is indented; one that goes on with the second column of `last` becomes part of it. */
function rowOf(line: string, last: Row | undefined): Row | undefined {
  const [, space, left, gap = "", right = ""] = /^( +)(\S.*?)(?:( {2,})(\S.*))?$/.exec(line) ?? [];
  if (space === undefined) return undefined;
  const indent = space.length;
  if (last !== undefined && gap === "") {
    const goesOn = last.right === "" ? indent > last.indent + BELOW : indent === last.column;
    if (goesOn) {
      last.right = `${last.right} ${left}`.trimStart();
      last.column = indent;
      return last;
    }
  }
  return { indent, column: indent + left.length + gap.length, left, right };
}

/** Rows that stand together have their second columns below each other. */
function fitRows(rows: readonly Row[], width: number): string[] {
  const column = Math.max(...rows.map(({ column, right }) => right === "" ? 0 : column));
  const beside = width - column >= NARROWEST_COLUMN;
  return rows.flatMap(({ indent, left, right }) => {
    const room = column - indent - 2;
    if (right !== "" && beside && left.length <= room) {
      const [first, ...more] = filled(right, column, column, width);
      return [" ".repeat(indent) + left.padEnd(room + 2) + first.trimStart(), ...more];
    }
    const below = beside && right !== "" ? column : indent + BELOW;
    return [
      ...filled(left, indent, indent + HANGING, width),
      ...right === "" ? [] : filled(right, below, below, width),
    ];
  });
}

/** Lines of words, the first with an indentation of its own. */
function filled(text: string, first: number, others: number, width: number): string[] {
  const lines: string[] = [];
  let line = " ".repeat(first);
  let empty = true;
  for (const word of text.split(" ")) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      // A long word goes less far right.
      const indent = Math.max(0, Math.min(others, width - word.length));
      [line, empty] = [" ".repeat(indent), true];
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
