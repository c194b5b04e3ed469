// Checks the declarations of the npm package as its users' compilers do: TypeScript from the oldest
// that is supported to the newest, in each way to find modules, with and without what else users have.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, posix } from "node:path";
import { type Compiler, installCompiler, NATIVE } from "./compilers.ts";
import { CODE, compiledTo, EXPORTS, NAME, NODE_TYPES_NEEDED, TYPES } from "./npm_package.ts";
import { must } from "./program.ts";
import type { Report } from "./report.ts";
import { ts } from "./tools.ts";

/** A compiler that users have, and its ways to find modules. */
interface UsersCompiler extends Compiler {
  readonly resolutions: readonly string[];
}

const COMPILERS: readonly UsersCompiler[] = [
  { version: "4.7.4", nodeTypes: "20.12.14", resolutions: ["node", "node16", "nodenext"] },
  { version: "4.9.5", nodeTypes: "20.12.14", resolutions: ["node", "node16", "nodenext"] },
  {
    version: "5.9.3",
    nodeTypes: TYPES["@types/node"],
    resolutions: ["node", "node16", "nodenext", "bundler"],
  },
  { ...NATIVE, resolutions: ["node16", "nodenext", "bundler"] },
];

/** What users' compilers know, and what the users can then do with the package. */
interface Surroundings {
  readonly name: string;
  readonly lib: readonly string[];
  readonly types: readonly string[];
  readonly program: string;
}

const WITH_WEB = `
import { requestHttp, serveHttp } from "${NAME}/http";
const stop = new AbortController();
export const serving = serveHttp(listener, (request: Request) => new Response(request.url), {
  signal: stop.signal,
}).finished;
export const request = requestHttp(transport, { url: new URL("http://h/") });
// @ts-expect-error: it is not just anything.
export const wrongHandler = serveHttp(listener, (request: Request) => request.url).finished;
`;

const SURROUNDINGS: readonly Surroundings[] = [
  { name: "neither Node nor the DOM", lib: ["ES2020"], types: [], program: "" },
  { name: "the DOM", lib: ["ES2020", "DOM"], types: [], program: WITH_WEB },
  { name: "Node", lib: ["ES2020"], types: ["node"], program: WITH_WEB },
  { name: "all of today", lib: ["ESNext", "DOM"], types: ["node"], program: WITH_WEB },
];

/** What every user can do. */
const PROGRAM = `import * as plainsocket from "${NAME}";
import { echo } from "${NAME}/protocols";

declare const transport: plainsocket.Transport;
declare const listener: plainsocket.Listener;
declare const conn: plainsocket.Conn;
const owned: Disposable = conn;
owned[Symbol.dispose]();
conn[Symbol.dispose]();
export const served: Promise<plainsocket.ServeSummary> = plainsocket.serve(listener, echo()).finished;
export const { code }: plainsocket.SocketError = new plainsocket.SocketError("ECONNRESET", "read");
// @ts-expect-error: it is not just anything.
export const wrong: number = plainsocket.systemTransport;

type IsAny<T> = 0 extends 1 & T ? true : false;
`;

/** A way to find modules, and what is known. */
interface Project {
  readonly resolution: string;
  readonly surroundings: Surroundings;
}

/**
 * How a module is found has nothing to do with what else is known: each of both once is enough, and they
 * go together as they come.
 */
function projectsOf({ resolutions }: UsersCompiler): Project[] {
  return SURROUNDINGS.map((surroundings, i) => {
    return { resolution: resolutions[Math.min(i, resolutions.length - 1)], surroundings };
  });
}

/** Checks the package that is installed in the folder `dir`, with each compiler. */
export async function checkTypes(dir: string, report: Report): Promise<void> {
  for (const compiler of COMPILERS) {
    const { version, resolutions } = compiler;
    const known = SURROUNDINGS.map(({ name }) => name).join(", ");
    const name = `TypeScript ${version} takes its types (${resolutions.join(", ")}; with ${known})`;
    await report.check(name, () => check(dir, compiler));
  }
}

/** Compiles programs that use all that the package exports. */
async function check(dir: string, compiler: UsersCompiler): Promise<void> {
  const { version } = compiler;
  const tools = await installCompiler(compiler);
  const [withNode, without] = [true, false].map((withNode) => PROGRAM + noneIsAny(dir, withNode));
  const folders = projectsOf(compiler).map(({ resolution, surroundings }) => {
    // What the compiler says names the folder.
    const { name, types, program } = surroundings;
    const folder = join(dir, `TypeScript ${version}, ${resolution}, with ${name}`);
    mkdirSync(folder);
    const uses = types.includes("node") ? withNode : without;
    writeFileSync(join(folder, "user.ts"), uses + program);
    const typeRoots = [join(tools, "node_modules", "@types")];
    const config = { compilerOptions: optionsOf(resolution, surroundings, typeRoots) };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...config, files: ["user.ts"] }));
    return folder;
  });
  await compile(tools, folders);
}

/**
 * Compiles the programs in these folders. The newest compiler checks each declaration that it reads.
 * Those in JavaScript do not check what they came with: most of the time would go into Node's types.
 */
async function compile(tools: string, folders: readonly string[]): Promise<void> {
  const api = join(tools, "node_modules", "typescript", "lib", "typescript.js");
  if (!existsSync(api)) {
    await must([join(tools, "node_modules", ".bin", "tsc"), "--build", ...folders]);
    return;
  }
  // By its path: by its name, Deno finds the one that these scripts import.
  const compiler: typeof ts = createRequire(api)(api);
  const files: Files = { sources: new Map(), exist: new Map() };
  const found = folders.flatMap((folder) => diagnosticsOf(compiler, folder, tools, files));
  if (found.length > 0) {
    throw new Error(compiler.formatDiagnostics(found, compiler.createCompilerHost({})));
  }
}

/** What was read for one program, and is the same for the next one. */
interface Files {
  readonly sources: Map<string, ts.SourceFile | undefined>;
  readonly exist: Map<string, boolean>;
}

/** What a compiler says of a program, except of the declarations in `tools`, which it came with. */
function diagnosticsOf(
  compiler: typeof ts,
  folder: string,
  tools: string,
  { sources, exist }: Files,
): ts.Diagnostic[] {
  const { config } = compiler.readConfigFile(join(folder, "tsconfig.json"), compiler.sys.readFile);
  const { options, errors, fileNames } = compiler
    .parseJsonConfigFileContent(config, compiler.sys, folder);
  const host = compiler.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (name) => exist.getOrInsertComputed(name, () => fileExists(name));
  host.getSourceFile = (name, ...how) => {
    // Whether a module of ours is CommonJS depends on how modules are found.
    const key = name.startsWith(tools) ? name : `${options.moduleResolution} ${name}`;
    return sources.getOrInsertComputed(key, () => getSourceFile(name, ...how));
  };
  // As `tsc` does: those from 5.3 on need not parse comments.
  host.jsDocParsingMode = compiler.JSDocParsingMode?.ParseForTypeErrors;
  const program = compiler.createProgram(fileNames, options, host);
  const others = program.getSourceFiles().filter(({ fileName }) => !fileName.startsWith(tools));
  return [
    ...errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...others.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ];
}

function optionsOf(
  moduleResolution: string,
  { lib, types }: Surroundings,
  typeRoots: readonly string[],
) {
  return {
    target: "ES2020",
    lib,
    module: /^node./.test(moduleResolution) ? moduleResolution : "ES2020",
    moduleResolution,
    types,
    typeRoots,
    strict: true,
    skipLibCheck: false,
    // What the compiler brings is not ours. Where ours does not go with it, the error is in ours, too.
    skipDefaultLibCheck: true,
    noEmit: true,
  };
}

/** Declarations that are an error if an export is `any`, as what cannot be found is. */
function noneIsAny(dir: string, withNode: boolean): string {
  const entries = Object.entries(EXPORTS)
    .filter(([name]) => withNode || !NODE_TYPES_NEEDED.includes(name));
  return entries.map(([name, source], i) => {
    const path = join(dir, "node_modules", NAME, CODE, compiledTo(source, ".d.ts"));
    const file = parsed(path);
    const lines = exportedNames(file).map(({ name, isType, module }) => {
      const type = isType
        ? `exports${i}.${name}${typeArguments(path, module!, name)}`
        : `typeof exports${i}.${name}`;
      return `export const ${name}${i}: IsAny<${type}> = false;`;
    });
    return [`import * as exports${i} from "${posix.join(NAME, name)}";`, ...lines].join("\n");
  }).join("\n");
}

function parsed(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
}

/** A name that is exported, and the module that it comes from, if that is another. */
interface Exported {
  readonly name: string;
  readonly isType: boolean;
  readonly module?: string;
}

/** What a declaration file exports: names in braces, or its own constants. */
function exportedNames(file: ts.SourceFile): Exported[] {
  return file.statements.flatMap((statement): Exported[] => {
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations
        .map(({ name }) => ({ name: name.getText(file), isType: false }));
    }
    if (!ts.isExportDeclaration(statement)) return [];
    const { elements } = statement.exportClause as ts.NamedExports;
    const module = (statement.moduleSpecifier as ts.StringLiteral).text;
    return elements.map(({ name: { text: name } }) => ({
      name,
      isType: statement.isTypeOnly,
      module,
    }));
  });
}

/** Something for each parameter that the type `name` of a module has, and that has no default. */
function typeArguments(from: string, module: string, name: string): string {
  const { statements } = parsed(join(dirname(from), module.replace(/\.js$/, ".d.ts")));
  const parameters = statements.flatMap((statement) =>
    (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) &&
      statement.name.text === name
      ? [...statement.typeParameters ?? []]
      : []
  ).filter((parameter) => parameter.default === undefined);
  return parameters.length === 0 ? "" : `<${parameters.map(() => "never").join(", ")}>`;
}
