/**
 * The runtimes on which server.ts is put under load, attacked and broken.
 *
 * @module
 */

import { join } from "node:path";
import { ROOT } from "../../scripts/program.ts";
import { buildForNode, node } from "../common/tools.ts";
import { REPORT } from "./memory.ts";

/** A runtime, by the name for `--on`. */
export interface Target {
  readonly name: string;
  /**
   * The command that runs server.ts, and with `reporting` reports its memory. Throws
   * {@linkcode Missing} when something is not installed.
   */
  readonly command: (reporting?: boolean) => Promise<string[]>;
}

function onNode(major: number): Target {
  return {
    name: `node${major}`,
    command: async (reporting = false) => {
      await buildForNode();
      const flags = reporting ? ["--expose-gc", "--import", REPORT] : [];
      return [await node(major), ...flags, join(ROOT, ".node/package/out/server.js")];
    },
  };
}

/** All of them. */
export const TARGETS: readonly Target[] = [
  {
    name: "deno",
    command: (reporting = false) => {
      const flags = reporting ? ["--v8-flags=--expose-gc", "--preload", REPORT] : [];
      const script = join(ROOT, "server.ts");
      return Promise.resolve([Deno.execPath(), "run", "--quiet", ...flags, "-A", script]);
    },
  },
  onNode(20),
  onNode(26),
];
