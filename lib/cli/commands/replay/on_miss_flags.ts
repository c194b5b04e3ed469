/**
 * The flags of what `server.ts replay` does when a client says something that was not recorded.
 *
 * @module
 */

import { choice, type Flag, needing, UsageError, type Values } from "../../io/flags.ts";
import { parseTarget, TARGET_FLAGS, type TargetOptions } from "../relay/target.ts";

/** The values of `--on-miss`. */
type MissWord = "fail" | "pass" | "record";

const { to: TO, ...OF_TARGET } = TARGET_FLAGS;

/** The flags of the target, which mean nothing without it. */
const OF_TARGET_FLAGS = Object.fromEntries(
  Object.entries(OF_TARGET).map(([name, flag]) => [name, needing<unknown>("to", flag)]),
) as typeof OF_TARGET;

/** The flags. */
export const ON_MISS_FLAGS: typeof TARGET_FLAGS & { readonly "on-miss": Flag<MissWord> } = {
  "on-miss": choice(
    ["fail", "pass", "record"],
    "fail",
    "bytes that were not recorded end it, go to --to, or are added, too (default fail)",
  ),
  to: { ...TO, help: "with --on-miss pass or record: HOST:PORT, tls:HOST:PORT or unix:PATH" },
  ...OF_TARGET_FLAGS,
};

/** The choice for clients that send something that was not recorded. */
export interface MissChoice {
  /** The real server, which they go on with. */
  readonly target: TargetOptions;
  /** Whether the recording gets what it has not. */
  readonly records: boolean;
}

/**
 * Makes what the flags say; undefined if the first difference ends the replay of `file`. Throws a
 * {@linkcode UsageError}.
 */
export function parseOnMiss(
  values: Values<typeof ON_MISS_FLAGS>,
  file: string,
): MissChoice | undefined {
  const { "on-miss": word, to } = values;
  if (word === "fail") {
    if (to === "") return undefined;
    throw new UsageError("Option --to goes with --on-miss pass or --on-miss record");
  }
  if (to === "") throw new UsageError(`Option --on-miss ${word} needs a target: --to HOST:PORT`);
  if (word === "record" && file === "-") {
    throw new UsageError("Option --on-miss record needs a FILE to add to, not '-'");
  }
  return { target: parseTarget(values), records: word === "record" };
}
