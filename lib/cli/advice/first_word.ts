/**
 * Advice for a first word that is not the name of a protocol.
 *
 * @module
 */

import { parseIP } from "../../base/ip.ts";
import { flagsFor } from "../options/host.ts";
import { socatHint } from "./socat.ts";

/**
 * Says what to type instead of `word`, after which stands `next`, undefined if nothing or an option
 * does; undefined if nothing is known that looks so.
 */
export type Advice = (word: string, next: string | undefined) => string | undefined;

/** The names that other programs have for our protocols. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  web: ["http", "https", "serve", "http-server", "file-server", "files", "static", "sirv", "site"],
  relay: ["proxy", "forward", "tunnel", "redirect", "bridge"],
  echo: ["listen", "send", "ping"],
  chat: ["room", "talk"],
  get: ["curl", "wget", "fetch", "download", "request"],
  connect: ["nc", "ncat", "netcat", "telnet", "socat", "open"],
  explain: ["why", "diagnose", "doctor", "check", "traceroute"],
  resolve: ["dig", "host", "nslookup", "lookup", "dns", "getent"],
  wstest: ["autobahn", "fuzzingclient", "fuzzingserver", "conformance"],
};

/** The one of `names` that does what others call `word`. */
export function synonym(word: string, names: readonly string[]): string | undefined {
  return names.find((name) => SYNONYMS[name]?.includes(word.toLowerCase()));
}

/** HOST and PORT, one after the other, as the tutorials have them; undefined if it is something else. */
function hostAndPort(
  [word, next]: readonly (string | undefined)[],
): readonly [host: string, port: string] | undefined {
  if (word === undefined || next === undefined) return undefined;
  if (isPort(next) && isHost(word)) return [word, next];
  return isPort(word) && isHost(next) && !isPort(next) ? [next, word] : undefined;
}

/**
 * The advice for HOST and PORT, or one of them, where options only are taken; undefined for others.
 */
export function placeAdvice(words: readonly string[]): string | undefined {
  const flags = listenFlags(words);
  return flags && `say ${flags}`;
}

/** HOST and PORT, or one of them, as options; undefined for others. */
export function listenFlags(words: readonly string[]): string | undefined {
  const place = hostAndPort(words);
  if (place !== undefined) return `--host ${place[0]} --port ${place[1]}`;
  const [word = ""] = words;
  if (isPort(word)) return `--port ${word}`;
  return isPlace(word) ? `--host ${word}` : undefined;
}

/** The advice for words after `relay`; `hasTarget` says whether there is `--to`, too. */
export function relayAdvice(words: readonly string[], hasTarget: boolean): string {
  if (hasTarget) return placeAdvice(words) ?? `for one more target say --to ${words[0]}`;
  const [word = "", next] = words;
  if (next === undefined && /^(tcp|tls|unix):/i.test(word)) {
    return `say --to ${word.replace(/^tcp:/i, "")}`;
  }
  const socat = socatHint(word, next);
  if (socat !== undefined) return socat;
  const place = hostAndPort(words);
  if (place !== undefined) return `say --to ${joined(...place)}`;
  // Others take where to listen before the target.
  const listen = isPort(word) ? `--port ${word}` : next === undefined ? undefined : flagsFor(word);
  if (listen !== undefined) return `say ${listen} --to ${next ?? "HOST:PORT"}`;
  return `say --to ${parseIP(word) !== undefined || isHost(word) ? joined(word, "PORT") : word}`;
}

function joined(host: string, port: string): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const isPort = (text: string) => /^\d{1,5}$/.test(text);

function isHost(text: string): boolean {
  return parseIP(text) !== undefined || /^[\w*][\w.-]*$/.test(text);
}

/** Whether it is this machine or an address, and not likely the name of a directory. */
function isPlace(word: string): boolean {
  return word.toLowerCase() === "localhost" || parseIP(word) !== undefined;
}

/** For those who begin with a port, an address or a directory, as with other servers. */
export const serverAdvice: Advice = (word, next) => {
  const place = hostAndPort([word, next]);
  if (place !== undefined) {
    const there = `say '--host ${place[0]} --port ${place[1]}'`;
    if (isPlace(place[0]) || /[.*]/.test(place[0])) return there;
    return `${there}, or to serve a directory 'web ${place[0]} --port ${place[1]}'`;
  }
  if (isPort(word)) return `say '--port ${word}'`;
  const socat = socatHint(word, next);
  if (socat !== undefined) return socat;
  if (isPlace(word)) return `say '--host ${word}'`;
  if (word.includes(":")) {
    const flags = flagsFor(word);
    return flags && `say '${flags}' to listen there, or 'relay --to ${word}' to lead there`;
  }
  const port = isPort(next ?? "") ? ` --port ${next}` : "";
  return `to serve a directory say 'web ${word}${port}'`;
};

/** For those who begin with a place, as with curl and nc, which may be an echo server, too. */
export const clientAdvice: Advice = (word, next) => {
  const place = hostAndPort([word, next]);
  if (place !== undefined) {
    const [host, port] = place;
    return `say 'connect ${
      joined(host, port)
    }' to talk as with nc, or '--host ${host} --port ${port}' for echo`;
  }
  if (isPort(word)) return `say '--port ${word}'`;
  const socat = socatHint(word, next);
  if (socat !== undefined) return socat;
  if (isPlace(word) && !word.includes(":")) {
    return `say 'connect ${word}:PORT' to talk as with nc, or '--host ${word}' for echo`;
  }
  if (!/[.:/]/.test(word) || /\s/.test(word)) {
    const message = /^[\w-]+$/.test(word) && next === undefined ? word : '"MESSAGE"';
    return `to send a message say 'echo ${message}'`;
  }
  const flags = flagsFor(word);
  if (word.includes("://")) return flags && `say '${flags}'`;
  const get = `say 'get ${word}' for HTTP`;
  if (flags === undefined) return get;
  if (!flags.includes("--port")) return `${get}, or '${flags}' for echo`;
  return `${get}, 'connect ${word}' to talk as with nc, or '${flags}' for echo`;
};
