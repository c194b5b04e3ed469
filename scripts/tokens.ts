// The words of a source file that mean something to the program: no comments, and names apart from
// strings.

import { ts } from "./tools.ts";

/** A name or a string, and where it stands. */
export interface Token {
  readonly text: string;
  readonly line: number;
}

/** The identifiers and the string literals of TypeScript or JavaScript text. */
export function tokens(text: string): { names: Token[]; strings: Token[] } {
  const file = ts.createSourceFile("file.ts", text, {
    languageVersion: ts.ScriptTarget.Latest,
    jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
  });
  const names: Token[] = [];
  const strings: Token[] = [];
  const visit = (node: ts.Node) => {
    const into = ts.isIdentifier(node) ? names : ts.isStringLiteralLike(node) ? strings : undefined;
    if (into !== undefined) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      into.push({ text: (node as ts.Identifier | ts.StringLiteralLike).text, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { names, strings };
}
