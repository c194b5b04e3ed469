/**
 * The access list of a server. Its files are read again on SIGHUP.
 *
 * @module
 */

import { formatAddr } from "../../base/addr.ts";
import { counted } from "../../base/counted.ts";
import { AccessList, type AccessRules } from "../../serve/access_list.ts";
import { readEntries } from "../io/files.ts";
import { ofOption, UsageError } from "../io/flags.ts";
import type { Log } from "../io/log.ts";
import { checkFilesReadableAgain, isInFile } from "../io/secret.ts";
import { type AccessOptions, checkNetwork, readsFiles } from "../options/access_flags.ts";
import { isSuccessor } from "./handover.ts";

/**
 * Makes the list that the options ask for, if they do. Each refused connection is a note in the log;
 * refused datagrams are only counted. `onReload` takes what reads the files again. Throws a
 * {@linkcode UsageError} for a file that is not right.
 */
export function openAccess(
  options: AccessOptions | undefined,
  log: Log,
  onReload: (reload: () => void) => void,
): AccessList | undefined {
  if (options === undefined) return undefined;
  // The process before this one has read what was in a pipe.
  if (isSuccessor()) checkReadableAgain(options);
  const access = new AccessList({
    ...readRules(options),
    maxPerAddress: options.maxPerAddress,
    proxies: options.proxies,
    onRefuse(addr, why) {
      // The sender of a datagram is easily forged: anybody could fill the log.
      if (addr.transport === "udp") return;
      // A proxy seldom says which port its client has.
      log.note(`refused ${addr.port === 0 ? addr.host : formatAddr(addr)}: ${why}`);
    },
  });
  if (readsFiles(options)) onReload(() => reload(access, options, log));
  return access;
}

function reload(access: AccessList, options: AccessOptions, log: Log): void {
  let rules: AccessRules;
  try {
    checkReadableAgain(options);
    rules = readRules(options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return log.error(`${error.message}. Who may connect stays as it was.`);
  }
  access.replace(rules);
  const { allow, deny = [] } = rules;
  const allowed = allow === undefined ? "all" : counted(allow.length, "network");
  log.note(
    `read again who may connect: ${allowed} allowed, ${counted(deny.length, "network")} denied`,
  );
}

function checkReadableAgain({ allow, deny }: AccessOptions): void {
  checkFilesReadableAgain("--allow", allow);
  checkFilesReadableAgain("--deny", deny);
}

/** The rules that the options make, with what is in the files. */
function readRules({ allow, deny }: AccessOptions): AccessRules {
  return {
    // A file with nothing in it allows nobody.
    ...allow.length === 0 ? {} : { allow: networksOf("--allow", allow) },
    deny: networksOf("--deny", deny),
  };
}

/** The networks that an option has, with those in its files. */
function networksOf(option: string, items: readonly string[]): string[] {
  return items.flatMap((item) => isInFile(item) ? readNetworks(option, item.slice(1)) : [item]);
}

/** Reads a file of networks: one a line, with `#` before a comment. */
function readNetworks(option: string, path: string): string[] {
  return ofOption(option, () => readEntries(path)).map(({ text, where }) => {
    checkNetwork(text, where);
    return text;
  });
}
