/**
 * From when on, and until when, certificates are valid.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import type { NamedKeyPair } from "./certificate_files.ts";

/** The day until which all of them are valid. */
export function lastDay(keyPairs: readonly NamedKeyPair[]): string {
  return dayOf(Math.min(...keyPairs.map((pair) => datesOf(pair).to)));
}

/**
 * Says of each certificate that is not valid at the time `now`, in milliseconds since 1970, that clients
 * refuse it.
 */
export function outOfDate(keyPairs: readonly NamedKeyPair[], now: number = Date.now()): string[] {
  return keyPairs.flatMap((pair) => {
    const { from, to } = datesOf(pair);
    const what = pair.name === "" ? "The certificate" : `The certificate '${pair.name}'`;
    if (now > to) return `${what} expired on ${dayOf(to)}: clients refuse it. Renew it.`;
    if (now < from) {
      return `${what} is not valid before ${dayOf(from)}: clients refuse it. Check the clock here.`;
    }
    return [];
  });
}

function datesOf({ cert }: NamedKeyPair): { from: number; to: number } {
  const { validFrom, validTo } = new X509Certificate(cert);
  return { from: Date.parse(validFrom), to: Date.parse(validTo) };
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
