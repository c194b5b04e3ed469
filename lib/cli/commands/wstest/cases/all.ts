/**
 * All cases, by section.
 *
 * @module
 */

import { isFor, type Section } from "../case.ts";
import type { Role } from "../frame.ts";
import { CLOSING } from "./closing.ts";
import { CONTROL } from "./control.ts";
import { DEFLATE } from "./deflate.ts";
import { FRAGMENTATION } from "./fragmentation.ts";
import { FRAMING } from "./framing.ts";
import { LIMITS } from "./limits.ts";
import { REQUESTS } from "./requests.ts";
import { RESPONSES } from "./responses.ts";
import { UTF_8 } from "./utf8.ts";

const SECTIONS: readonly Section[] = [
  REQUESTS,
  RESPONSES,
  FRAMING,
  FRAGMENTATION,
  CONTROL,
  UTF_8,
  CLOSING,
  LIMITS,
  DEFLATE,
];

/** The sections with the cases for one side: the side that is tested. */
export function sectionsFor(side: Role): Section[] {
  return SECTIONS.map((one) => ({ ...one, cases: one.cases.filter((each) => isFor(each, side)) }))
    .filter(({ cases }) => cases.length > 0);
}
