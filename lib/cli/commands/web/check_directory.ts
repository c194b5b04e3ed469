/**
 * Is there something to serve, and may we?
 *
 * @module
 */

import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeCrypto } from "../../../base/builtins.deno.ts";
import { forbiddenBy } from "../../../base/permission.ts";
import type { SiteOptions } from "../../../files/site.ts";
import { CliError, EXIT } from "../../io/exit.ts";

/**
 * Rejects with a {@linkcode CliError} unless a directory can be read, for uploads written, and for a
 * single-page app has its page.
 */
export async function checkDirectory(
  path: string,
  { upload, spa }: Pick<SiteOptions, "upload" | "spa">,
): Promise<void> {
  try {
    if (!(await stat(path)).isDirectory()) {
      throw new CliError(
        EXIT.usage,
        `Cannot serve '${path}': it is not a directory. Name the directory that has it.`,
      );
    }
    await readdir(path);
  } catch (error) {
    throw explained(error, "serve", path, "read");
  }
  if (spa) await checkPage(path);
  if (!upload) return;
  try {
    // Only a try shows whether it is permissions, a full disk or one that is read-only.
    const file = join(path, `.plainsocket-${nodeCrypto().randomUUID()}`);
    await writeFile(file, "", { flag: "wx" });
    await rm(file);
  } catch (error) {
    throw explained(error, "take uploads in", path, "write");
  }
}

/** Without its page, all that --spa would answer with is 404. */
async function checkPage(path: string): Promise<void> {
  const page = await stat(join(path, "index.html")).catch(() => undefined);
  if (page?.isFile()) return;
  throw new CliError(
    EXIT.usage,
    `Cannot serve '${path}' with --spa: there is no index.html in it. Name the directory that has ` +
      "it (a build often makes dist or build), or leave --spa out.",
  );
}

function explained(error: unknown, verb: string, path: string, right: "read" | "write"): unknown {
  if (error instanceof CliError) return error;
  const { code } = error as { code?: string };
  const forbidden = forbiddenBy(error);
  const [why, next] = forbidden !== undefined
    ? [forbidden.why, `Run again with ${forbidden.fileFlag(right, path)}.`]
    : code === "ENOENT"
    ? [
      "there is no such directory",
      /^\d{1,5}$/.test(path)
        ? `For port ${path} say --port ${path}.`
        : "Check the spelling, or make it first.",
    ]
    : code === "EACCES" || code === "EPERM"
    ? [`this user may not ${right} it`, "Change its permissions, or serve another one."]
    : code === "EROFS"
    ? ["the file system is read-only", "Serve another directory, or leave --upload out."]
    : [(error as Error).message, "Serve another directory."];
  return new CliError(EXIT.usage, `Cannot ${verb} '${path}': ${why}. ${next}`, { cause: error });
}
