/**
 * The results of cases.
 *
 * @module
 */

import type { Case, Section } from "./case.ts";
import type { Judgement } from "./match.ts";

/** The result of a case. */
export interface Result extends Judgement {
  readonly case: Case;
  /** The bytes that were sent first: the head of the handshake, or the frames. */
  readonly sent: Uint8Array;
  /** The response, in words. */
  readonly got: string;
}

/** The result of a section. */
export interface SectionResult {
  readonly section: Section;
  readonly results: readonly Result[];
}
