/**
 * Content codings in the order that a client prefers (RFC 9110 section 12.5.3).
 *
 * @module
 */

import { TOKEN } from "../base/header_fields.ts";

/** The content codings that are served. */
export type Coding = "br" | "zstd" | "gzip" | "identity";

/** The weight of each coding for a client: from 0, not acceptable, to 1. */
export type Weights = Readonly<Record<Coding, number>>;

/** Less than any weight that a client can give: acceptable, if there is nothing else. */
const UNASKED = 0.0001;

const NO_FIELD: Weights = { br: 0, zstd: 0, gzip: 0, identity: 1 };

/**
 * The weights that the value of Accept-Encoding gives. Without the field everything is acceptable,
 * but who does not say that it decodes is sent no coding.
 */
export function parseAcceptEncoding(value: string | undefined): Weights {
  if (value === undefined) return NO_FIELD;
  const asked = new Map<string, number>();
  for (const member of value.split(",")) {
    const match = MEMBER.exec(member);
    if (match === null) continue;
    const name = match[1].toLowerCase();
    // RFC 9110 section 8.4.1.3: x-gzip is gzip.
    asked.set(name === "x-gzip" ? "gzip" : name, match[2] === undefined ? 1 : Number(match[2]));
  }
  const others = asked.get("*");
  const weight = (coding: Coding) => asked.get(coding) ?? others ?? 0;
  return {
    br: weight("br"),
    zstd: weight("zstd"),
    gzip: weight("gzip"),
    identity: asked.get("identity") ?? others ?? UNASKED,
  };
}

/** A coding and its weight; what is not right is left out. */
const MEMBER = new RegExp(
  `^[ \\t]*(${TOKEN})[ \\t]*(?:;[ \\t]*[qQ]=(0(?:\\.\\d{0,3})?|1(?:\\.0{0,3})?)[ \\t]*)?$`,
);

/**
 * The one most wanted of those that are `eligible`; of those wanted alike the first. `undefined` if
 * none is acceptable.
 */
export function mostWanted<T extends { readonly coding: Coding }>(
  weights: Weights,
  choices: readonly T[],
  eligible: (choice: T) => boolean = () => true,
): T | undefined {
  let best: T | undefined;
  let most = 0;
  for (const choice of choices) {
    const weight = weights[choice.coding];
    if (weight > most && eligible(choice)) [best, most] = [choice, weight];
  }
  return best;
}
