// The compilers of the package: TypeScript of some version, each in a folder of its own.

import { join } from "node:path";
import { ROOT } from "./program.ts";
import { install } from "./runtimes.ts";

/** A version of TypeScript, and the types of Node that it understands. */
export interface Compiler {
  readonly version: string;
  readonly nodeTypes: string;
}

/** The native compiler. It needs a quarter of the processor time of those in JavaScript. */
export const NATIVE: Compiler = { version: "7.0.2", nodeTypes: "26.6.6" };

/** Installs a compiler, with the types of Node; resolves to its folder. */
export async function installCompiler({ version, nodeTypes }: Compiler): Promise<string> {
  const dir = join(ROOT, ".node", `typescript-${version}`);
  await install(dir, { typescript: version, "@types/node": nodeTypes });
  return dir;
}
