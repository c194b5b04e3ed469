// The declarations of the npm package: what its public modules reach of all that a builder declares,
// so that users' compilers meet none of the types that only the code behind them needs.

import { join, relative } from "node:path";
import { ts } from "./tools.ts";

const OPTIONS: ts.CompilerOptions = {
  noLib: true,
  types: [],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  noEmit: true,
};

/** A name in the braces of an import or export. */
type Specifier = ts.ImportSpecifier | ts.ExportSpecifier;

/** What the modules `entries` in the folder `dir` export, and what that refers to: texts by path. */
export function publicDeclarations(dir: string, entries: readonly string[]): Map<string, string> {
  const program = ts.createProgram(entries.map((entry) => join(dir, entry)), OPTIONS);
  const kept = keptNodes(program);
  const texts = new Map<string, string>();
  for (const file of program.getSourceFiles()) {
    if (file.statements.some((statement) => kept.has(statement))) {
      texts.set(relative(dir, file.fileName), textOf(file, kept));
    }
  }
  return texts;
}

/** The statements to keep, and of imports and exports the specifiers. */
function keptNodes(program: ts.Program): Set<ts.Node> {
  const checker = program.getTypeChecker();
  const kept = new Set<ts.Node>();
  const seen = new Set<ts.Symbol>();

  const keepSymbol = (symbol: ts.Symbol | undefined) => {
    if (symbol === undefined || seen.has(symbol)) return;
    seen.add(symbol);
    for (const declaration of symbol.declarations ?? []) {
      if (ts.isSourceFile(declaration)) keepExports(declaration);
      else if (isSpecifier(declaration)) kept.add(declaration).add(statementOf(declaration));
      else keepStatement(statementOf(declaration));
    }
    if (symbol.flags & ts.SymbolFlags.Alias) keepSymbol(checker.getImmediateAliasedSymbol(symbol));
  };
  const keepStatement = (statement: ts.Statement) => {
    if (kept.has(statement)) return;
    kept.add(statement);
    visit(statement);
  };
  const visit = (node: ts.Node) => {
    if (ts.isIdentifier(node)) keepSymbol(checker.getSymbolAtLocation(node));
    ts.forEachChild(node, visit);
  };
  const keepExports = (file: ts.SourceFile) => {
    const module = checker.getSymbolAtLocation(file)!;
    for (const symbol of checker.getExportsOfModule(module)) keepSymbol(symbol);
  };

  for (const file of program.getSourceFiles()) {
    if (program.getRootFileNames().includes(file.fileName)) keepExports(file);
    for (const statement of file.statements) {
      // Nothing refers to an `export *`, whatever comes through it.
      if (!ts.isExportDeclaration(statement) || statement.exportClause !== undefined) continue;
      kept.add(statement);
      keepSymbol(checker.getSymbolAtLocation(statement.moduleSpecifier!));
    }
  }
  return kept;
}

function isSpecifier(node: ts.Node): node is Specifier {
  return ts.isImportSpecifier(node) || ts.isExportSpecifier(node);
}

/** The statement of the file in which a node stands. */
function statementOf(node: ts.Node): ts.Statement {
  while (!ts.isSourceFile(node.parent)) node = node.parent;
  return node as ts.Statement;
}

/** What is kept of a file; relative imports name the JavaScript, as every compiler understands. */
function textOf(file: ts.SourceFile, kept: ReadonlySet<ts.Node>): string {
  let text = "";
  let copied = ts.getShebang(file.text)?.length ?? 0; // nobody starts it
  const replace = (start: number, end: number, by: string) => {
    text += file.text.slice(copied, start) + by;
    copied = end;
  };
  const visit = (node: ts.Node) => {
    if (ts.isNamedImports(node) || ts.isNamedExports(node)) {
      const names = [...node.elements].filter((name) => kept.has(name));
      replace(node.getStart(file), node.end, `{ ${names.map((n) => n.getText(file)).join(", ")} }`);
    } else if (ts.isStringLiteral(node) && /^\.{1,2}\/.*\.ts$/.test(node.text)) {
      replace(node.getStart(file), node.end, JSON.stringify(node.text.replace(/ts$/, "js")));
    } else {
      ts.forEachChild(node, visit);
    }
  };
  for (const statement of file.statements) {
    if (kept.has(statement)) visit(statement);
    else replace(statement.pos, statement.end, "");
  }
  return `${(text + file.text.slice(copied)).trim()}\n`;
}
