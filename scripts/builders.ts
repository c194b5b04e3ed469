// Who compiles the code of the npm package.

import { compilePackage } from "./compile.ts";
import { compileWithDnt, loadDnt } from "./dnt.ts";

/** Each compiles the code of the package, and resolves to the folder with it. */
export type Builders = Readonly<Record<string, () => Promise<string>>>;

/** The builders, the preferred one first. */
export const BUILDERS: Builders = {
  dnt: async () => await compileWithDnt(await loadDnt()),
  typescript: compilePackage,
};

/** The code that was compiled, and by whom. */
export interface Compiled {
  readonly builder: string;
  readonly dir: string;
}

/** Has the first builder compile that can. `say` gets the reasons of those that could not. */
export async function compileWithFirst(
  builders: Builders,
  say: (line: string) => void,
): Promise<Compiled> {
  for (const [builder, compile] of Object.entries(builders)) {
    try {
      return { builder, dir: await compile() };
    } catch (error) {
      say(`${builder} cannot build the package here: ${(error as Error).message}`);
    }
  }
  throw new Error(`Cannot build the package: ${Object.keys(builders).join(" and ")} failed.`);
}
