/**
 * The selection of the cases to run.
 *
 * @module
 */

import { UsageError } from "../../io/flags.ts";
import type { Case, Section } from "./case.ts";
import { sectionsFor } from "./cases/all.ts";
import type { Role } from "./frame.ts";

/**
 * The sections for one side, with the cases that a pattern names; all without patterns. A pattern is
 * how an id begins, as `2`, `2.4` and `2.4-1`, or a word of a section's name or a case's title. Throws a
 * {@linkcode UsageError} for a pattern that names none.
 */
export function selectedSections(side: Role, patterns: readonly string[]): Section[] {
  const all = sectionsFor(side);
  if (patterns.length === 0) return all;
  for (const pattern of patterns) {
    const named = all.some((section) =>
      section.cases.some((one) => isNamed(one, section, pattern))
    );
    if (!named) throw new UsageError(`No case is named '${pattern}'; --list shows them`);
  }
  return all.map((section) => ({
    ...section,
    cases: section.cases.filter((one) => patterns.some((each) => isNamed(one, section, each))),
  })).filter(({ cases }) => cases.length > 0);
}

function isNamed({ id, title }: Case, { name }: Section, pattern: string): boolean {
  if (/^\d/.test(pattern)) {
    return id === pattern || id.startsWith(`${pattern}.`) || id.startsWith(`${pattern}-`);
  }
  return `${name} ${title}`.toLowerCase().includes(pattern.toLowerCase());
}

/** The cases as lines. */
export function listText(sections: readonly Section[]): string {
  return sections.map(({ number, name, cases }) => {
    const lines = cases.map(({ id, rfc, title }) => `  ${id.padEnd(9)}${rfc.padEnd(18)}${title}`);
    return [`${number}  ${name}`, ...lines, ""].join("\n");
  }).join("\n");
}
