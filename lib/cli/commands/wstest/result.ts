/**
 * What has come of cases.
 *
 * @module
 */

import type { Case, Section } from "./case.ts";
import type { Judgement } from "./match.ts";

/** What has come of a case. */
export interface Result extends Judgement {
  readonly case: Case;
  /** What was sent first: the head of the handshake, or the frames. */
  readonly sent: Uint8Array;
  /** What has come back, in words. */
  readonly got: string;
}

/** What has come of a section. */
export interface SectionResult {
  readonly section: Section;
  readonly results: readonly Result[];
}
