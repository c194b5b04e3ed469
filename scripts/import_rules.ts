// Which folder of the library imports which. The table is the architecture: the picture in
// docs/architecture.md follows it. A type import counts as any other.

import { posix } from "node:path";
import { tokens } from "./tokens.ts";

/** The parts of the library, lowest first, and the others that each may import. */
export const IMPORT_RULES: Readonly<Record<string, readonly string[]>> = {
  base: [],
  net: ["base"],
  observe: ["base", "net"],
  serve: ["base", "net"],
  "dial.ts": ["base", "net"],
  frames: ["base", "net"],
  proxy_protocol: ["base", "net"],
  protocols: ["base", "net", "serve", "dial.ts", "frames", "observe"],
  http: ["base", "net", "serve", "dial.ts"],
  workers: ["base", "net", "serve"],
  metrics: ["base", "net"],
  recording: ["base", "net", "observe", "http"],
  faults: ["base", "net", "observe"],
  replay: ["base", "net", "observe", "frames", "http", "recording"],
  simulate: ["base", "net", "observe", "recording"],
  testing: ["base", "net"],
  files: ["base", "http"],
  cli: [
    "base",
    "net",
    "observe",
    "serve",
    "dial.ts",
    "frames",
    "proxy_protocol",
    "protocols",
    "http",
    "workers",
    "metrics",
    "recording",
    "faults",
    "replay",
    "files",
  ],
};

/** The parts of the programs, `lib/cli/`, lowest first, and the others of them that each may import. */
export const CLI_RULES: Readonly<Record<string, readonly string[]>> = {
  io: [],
  pages: [],
  watch: ["pages"],
  options: ["io", "watch"],
  drawing: ["io"],
  "program.ts": [],
  "session.ts": ["io", "options"],
  advice: ["io", "options"],
  serving: ["io", "options", "session.ts"],
  explain: ["io", "options", "serving"],
  web_socket: ["io", "options", "serving", "session.ts"],
  "command.ts": ["io", "options", "drawing", "program.ts", "session.ts", "advice"],
  commands: [
    "io",
    "pages",
    "watch",
    "options",
    "drawing",
    "program.ts",
    "session.ts",
    "advice",
    "serving",
    "explain",
    "web_socket",
    "command.ts",
  ],
  "main.ts": ["io", "program.ts", "session.ts", "explain", "command.ts"],
  "plainsocket.ts": ["io", "options", "program.ts", "session.ts", "advice", "commands", "main.ts"],
};

/** A file that names another one. Both are paths from the root of the project. */
export interface Import {
  readonly from: string;
  readonly to: string;
  readonly line: number;
}

/** The modules of the project that the module `path` with this text names. */
export function importsOf(path: string, text: string): Import[] {
  return tokens(text).strings
    .filter(({ text }) => /^\.{1,2}\/.*\.ts$/.test(text))
    .map(({ text, line }) => ({
      from: path,
      to: posix.join(posix.dirname(path), text),
      line,
    }));
}

/** The part of `folder` that a file belongs to: a folder there, or a file. Undefined if it is elsewhere. */
function partOf(path: string, folder: string): string | undefined {
  return path.startsWith(folder) ? path.slice(folder.length).split("/")[0] : undefined;
}

/** Whether the tables allow one file to import another. */
function isAllowed({ from, to }: Import): boolean {
  const [part, target = to] = [partOf(from, "lib/"), partOf(to, "lib/")];
  if (part === undefined) return true;
  if (part !== target) return IMPORT_RULES[part]?.includes(target) === true;
  const [room, other] = [partOf(from, "lib/cli/"), partOf(to, "lib/cli/")];
  if (room === undefined || other === undefined || room === other) return true;
  return CLI_RULES[room]?.includes(other) === true;
}

/** The imports that the tables do not allow, each as a line. */
export function forbiddenImports(imports: readonly Import[]): string[] {
  return imports.filter((one) => !isAllowed(one))
    .map(({ from, to, line }) => `${from}:${line}: imports ${to}`);
}

/** The circles of files that import each other, each as one line; none if there are none. */
export function circles(imports: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...targets.get(from) ?? [], to]);
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const start = path.indexOf(file);
    if (start >= 0) return void found.push([...path.slice(start), file].join(" > "));
    if (done.has(file)) return;
    path.push(file);
    for (const target of targets.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of targets.keys()) visit(file);
  return found;
}
