/**
 * What to type instead of a first word that is no protocol.
 *
 * @module
 */

import { flagsFor } from "./host.ts";

/** Says what to type instead of `word`; undefined if nothing is known that looks so. */
export type Advice = (word: string) => string | undefined;

/** For those who begin with a port, an address or a directory, as with other servers. */
export const serverAdvice: Advice = (word) => {
  if (/^\d+$/.test(word)) return `say '--port ${word}'`;
  if (word.includes(":")) {
    const flags = flagsFor(word);
    return flags && `say '${flags}' to listen there, or 'relay --to ${word}' to lead there`;
  }
  return `to serve a directory say 'web ${word}'`;
};

/** For those who begin with a place, as with curl and nc, which may be an echo server, too. */
export const clientAdvice: Advice = (word) => {
  if (/^\d+$/.test(word)) return `say '--port ${word}'`;
  if (!/[.:/]/.test(word)) return undefined;
  const flags = flagsFor(word);
  if (word.includes("://")) return flags && `say '${flags}'`;
  const get = `say 'get ${word}' for HTTP`;
  if (flags === undefined) return get;
  if (!flags.includes("--port")) return `${get}, or '${flags}' for echo`;
  return `${get}, 'connect ${word}' to talk as with nc, or '${flags}' for echo`;
};
