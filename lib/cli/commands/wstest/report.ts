/**
 * The results of the cases, as text and as JSON.
 *
 * @module
 */

import { escapeText, safeJson } from "../../../base/escape.ts";
import { counted } from "../../../base/counted.ts";
import { VERSION } from "../../../base/version.ts";
import { quote } from "../../io/quote.ts";
import type { Case } from "./case.ts";
import type { Verdict } from "./match.ts";
import type { Result, SectionResult } from "./result.ts";
import { describeExpected, hex } from "./frame_words.ts";

/** The verdicts, with the words of the report. */
const WORDS: Readonly<Record<Verdict, string>> = {
  pass: "passed",
  "non-strict": "non-strict",
  fail: "failed",
  skipped: "skipped",
};

const VERDICTS = Object.keys(WORDS) as Verdict[];

/** The number of cases with each verdict. */
export type Counts = Readonly<Record<Verdict, number>>;

/** Counts verdicts. */
export function countVerdicts(results: readonly Result[]): Counts {
  const counts = { pass: 0, "non-strict": 0, fail: 0, skipped: 0 };
  for (const { verdict } of results) counts[verdict]++;
  return counts;
}

/** The results of all sections. */
export function allResults(sections: readonly SectionResult[]): Result[] {
  return sections.flatMap(({ results }) => [...results]);
}

/**
 * The report for people: a line for each section, one for each case that failed, and one for those of a
 * group that are not strict for the same reason.
 */
export function reportText(sections: readonly SectionResult[]): string {
  const name = Math.max(...sections.map(({ section }) => section.name.length)) + 2;
  const lines = sections.flatMap(({ section, results }) => [
    `${section.number}  ${section.name.padEnd(name)}${countsText(countVerdicts(results))}`,
    ...results.filter(({ verdict }) => verdict === "fail").map(lineOf),
    ...nonStrictLines(results),
  ]);
  const all = countsText(countVerdicts(allResults(sections)));
  return `${[...lines, `   ${"All".padEnd(name)}${all}`].join("\n")}\n`;
}

function countsText(counts: Counts): string {
  const given = VERDICTS.filter((verdict) => verdict === "pass" || counts[verdict] > 0);
  return given.map((verdict) => `${counts[verdict]} ${WORDS[verdict]}`).join(", ");
}

function lineOf({ case: one, why = "", sent, got }: Result): string {
  const facts = [
    why,
    `sent ${shownBytes(one, sent)}`,
    `expected ${expectedOf(one)}`,
    `got ${got}`,
    `${one.rfc}: ${one.rule}`,
  ];
  return escapeText(`   FAILED ${one.id}  ${one.title}: ${facts.join("; ")}`);
}

function nonStrictLines(results: readonly Result[]): string[] {
  const alike = new Map<string, Result[]>();
  for (const result of results.filter(({ verdict }) => verdict === "non-strict")) {
    const key = `${groupOf(result.case)} ${result.why}`;
    alike.set(key, [...alike.get(key) ?? [], result]);
  }
  return Array.from(alike.values(), ([first, ...more]) => {
    const { case: one, why = "" } = first;
    const which = more.length === 0
      ? `${one.id}  ${one.title}`
      : `${groupOf(one)}  ${counted(more.length + 1, "case")}`;
    return escapeText(`   non-strict ${which}: ${why}; ${one.rfc}: ${one.rule}`);
  });
}

/** The section and the group of a case: `2.4` of `2.4-1`. */
function groupOf({ id }: Case): string {
  return id.split("-")[0];
}

function shownBytes(one: Case, sent: Uint8Array): string {
  return one.type === "frames" ? hex(sent) : quote(sent);
}

/** Describes the expectation of a case. */
function expectedOf(one: Case): string {
  if (one.type === "frames") return describeExpected(one.expect);
  if (one.verdict === "accept") {
    return one.type === "request" ? "101, and a WebSocket that works" : "a WebSocket that works";
  }
  if (one.verdict === "either") return "101 with what is right, or a refusal";
  if (one.type === "response") return "the connection to fail";
  if (one.statuses === "any") return "another status than 101";
  return one.statuses === undefined ? "a status from 400 to 499" : one.statuses.join(" or ");
}

/** The report for programs. */
export function reportJson(
  subject: Readonly<Record<string, string>>,
  sections: readonly SectionResult[],
): string {
  const report = {
    ...subject,
    version: VERSION,
    counts: countVerdicts(allResults(sections)),
    sections: sections.map(({ section: { number, name }, results }) => ({
      number,
      name,
      counts: countVerdicts(results),
      cases: results.map(({ case: one, verdict, why, sent, got }) => ({
        id: one.id,
        rfc: one.rfc,
        rule: one.rule,
        title: one.title,
        verdict,
        ...why !== undefined && { why },
        sent: shownBytes(one, sent),
        expected: expectedOf(one),
        got,
      })),
    })),
  };
  return `${safeJson(report, 2)}\n`;
}
