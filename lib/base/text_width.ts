/**
 * The width of text on a terminal.
 *
 * @module
 */

/** Characters that take two columns: those of East Asia, and emoji (Unicode Annex 11, W and F). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Characters that take none: they go on top of the one before, or are not seen. */
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Text of which each character takes one column. */
const ASCII = /^[\x20-\x7e]*$/;

function widthOfCharacter(character: string): number {
  return WIDE.test(character) ? 2 : ZERO.test(character) ? 0 : 1;
}

/** The columns that a text takes on a terminal. Control characters have to be escaped before. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

/** Cuts a text to so many columns; `…` at its end says that there is more. */
export function clipText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let clipped = "";
  let width = 0;
  for (const character of text) {
    width += widthOfCharacter(character);
    if (width > columns - 1) break;
    clipped += character;
  }
  return columns < 1 ? "" : `${clipped}…`;
}

/** Breaks a text between its words into lines of at most so many columns; longer words are cut. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer) > columns) {
      lines.push(clipText(line, columns));
      line = word;
    } else line = longer;
  }
  return [...lines, clipText(line, columns)];
}
