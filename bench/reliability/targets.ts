/**
 * The runtimes on which server.ts is put under load, attacked and broken.
 *
 * @module
 */

import { join } from "node:path";
import { ROOT } from "../../scripts/program.ts";
import { buildForNode, node } from "../common/tools.ts";

/** A runtime, by the name for `--on`. */
export interface Target {
  readonly name: string;
  /** The command that runs server.ts. Throws {@linkcode Missing} when something is not installed. */
  readonly command: () => Promise<string[]>;
}

function onNode(major: number): Target {
  return {
    name: `node${major}`,
    command: async () => {
      await buildForNode();
      return [await node(major), join(ROOT, ".node/package/out/server.js")];
    },
  };
}

/** All of them. */
export const TARGETS: readonly Target[] = [
  {
    name: "deno",
    command: () =>
      Promise.resolve([Deno.execPath(), "run", "--quiet", "-A", join(ROOT, "server.ts")]),
  },
  onNode(20),
  onNode(26),
];
