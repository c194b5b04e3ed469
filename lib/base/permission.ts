/**
 * Errors for want of a permission: of Deno, and of Node with `--permission`.
 *
 * @module
 */

/** Why something is forbidden, and the flag that allows it. */
export interface Forbidden {
  /** Why it failed, as a sentence without a period. */
  readonly why: string;
  /** The flag with which the runtime lets a program read or write a path. */
  fileFlag(right: "read" | "write", path: string): string;
}

const DENO: Forbidden = {
  why: "Deno's permissions forbid it",
  fileFlag: (right, path) => `--allow-${right}=${path}`,
};

const NODE: Forbidden = {
  why: "Node's permissions forbid it",
  fileFlag: (right, path) => `--allow-fs-${right}=${path}`,
};

/** The permissions that `error` is about; undefined if it is not about a lack of permission. */
export function forbiddenBy(error: unknown): Forbidden | undefined {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (name === "NotCapable") return DENO;
  return code === "ERR_ACCESS_DENIED" ? NODE : undefined;
}
