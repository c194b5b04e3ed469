/**
 * Why a file that the command line names cannot be read.
 *
 * @module
 */

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ENOENT: "there is no such file",
};

/** The reason for `error`, for people. */
export function whyUnreadable(path: string, error: unknown): string {
  const { code = "", name, message } = error as Error & { code?: string };
  if (name === "NotCapable") {
    return `Deno's permissions forbid it; run again with --allow-read=${path}`;
  }
  return Object.hasOwn(REASONS, code) ? REASONS[code] : message;
}
