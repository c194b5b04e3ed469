/**
 * The language of fault plans: `conn=1: down: reset@4096; conn=*: up: split=1, delay=50ms±10`.
 *
 * ```
 * plan      = rule *( ( ";" / newline ) rule )     ; "#" begins a comment
 * rule      = *( selector ":" ) [ ( "up" / "down" ) ":" ] fault *( "," fault )
 * selector  = "conn=" ( "*" / N *( "," N ) / "every " N ) / "from=" CIDR *( "," CIDR )
 *           / "chance=" PERCENT
 * place     = BYTES / "message " N
 * fault     = "refuse" / ( "reset" / "close" / "stall" ) "@" ( place / TIME / "data" [ "+" TIME ] )
 *           / ( "truncate" / "corrupt" ) "@" place / "drop@message " N / "delay=" TIME [ "±" TIME ]
 *           / "rate=" BYTES / "split=" BYTES [ "±" BYTES ] [ "/" TIME ]
 *           / ( "coalesce" / "slowclose" ) "=" TIME / ( "loss" / "dup" / "reorder" ) "=" PERCENT
 * ```
 *
 * @module
 */

import { checkArgument, TEXT } from "../base/arguments.ts";
import { type Cidr, parseCidr } from "../base/ip.ts";
import { escapeText } from "../base/escape.ts";
import { nearest } from "../base/nearest.ts";
import { contradict, type Contradiction, RulesSoFar } from "./contradictions.ts";
import { FORMS, PERCENTAGE, percentage } from "./fault_notation.ts";
import type { Direction, Fault, FaultName, FaultPlan, FaultRule, Selection } from "./plan.ts";

/** The most characters of why a plan is not valid: it quotes the plan, which may be any file. */
const MAX_WHY = 300;

/** A plan that cannot be read; the message says where, what was expected, and what stands there. */
export class FaultPlanError extends TypeError {
  /** Always `"FaultPlanError"`. */
  override readonly name = "FaultPlanError";
  /** The line, from 1. */
  readonly line: number;
  /** The column in the line, from 1. */
  readonly column: number;

  /** Makes an error about a place in `text`. */
  constructor(text: string, at: number, why: string) {
    const before = text.slice(0, at).split("\n");
    const [line, column] = [before.length, before.at(-1)!.length + 1];
    const where = text.includes("\n") ? `line ${line}, column ${column}` : `column ${column}`;
    super(escapeText(`The fault plan is not valid: ${where}: ${why}`));
    this.line = line;
    this.column = column;
  }
}

/** A part of the text, and where it begins. */
interface Part {
  readonly text: string;
  readonly at: number;
}

/**
 * Reads a plan; an empty one has no faults. docs/faults.md describes the language. It must not
 * contradict the rules that come before it, if there are any. Throws a {@linkcode FaultPlanError}.
 *
 * @example
 * ```ts
 * import { parseFaultPlan } from "@plainsocket/plainsocket/faults";
 * import assert from "node:assert/strict";
 *
 * const [rule] = parseFaultPlan("conn=1: down: reset@4096");
 * assert.deepEqual(rule.faults, [{ name: "reset", at: { bytes: 4096 } }]);
 * ```
 */
export function parseFaultPlan(text: string, before: FaultPlan = []): FaultPlan {
  checkArgument("parseFaultPlan", text, TEXT);
  const sofar = new RulesSoFar();
  for (const rule of before) sofar.add(rule);
  const withoutComments = text.replace(/#[^\n]*/g, (comment) => " ".repeat(comment.length));
  const rules: FaultRule[] = [];
  for (const part of split({ text: withoutComments, at: 0 }, /[;\n]/)) {
    if (part.text === "") continue;
    const parser = new RuleParser(text, part);
    const rule = parser.rule();
    const contradiction = sofar.add(rule);
    if (contradiction !== undefined) parser.refuse(contradiction);
    rules.push(rule);
  }
  return rules;
}

/** The parts between separators, without the white space around them. */
function split({ text, at }: Part, separator: RegExp): Part[] {
  const parts: Part[] = [];
  for (let start = 0; start <= text.length;) {
    const found = text.slice(start).search(separator);
    const end = found < 0 ? text.length : start + found;
    parts.push(trimmed({ text: text.slice(start, end), at: at + start }));
    start = end + 1;
  }
  return parts;
}

function trimmed({ text, at }: Part): Part {
  return { text: text.trim(), at: at + text.length - text.trimStart().length };
}

/** The beginning of a rule: a selector, which ends before a colon that is not inside an address. */
const SELECTOR =
  /^(conn|from|chance)\s*=\s*(.*?)\s*(?::\s+|:(?=\s*(?:up|down)\s*:)|:(?=[a-z]+(?:[@=]|$)))/i;

const DIRECTION = /^(up|down)\s*:\s*/i;

class RuleParser {
  readonly #whole: string;
  #rest: Part;
  /** The position of each fault. */
  readonly #parts = new Map<Fault, Part>();
  #selection: Selection = { numbers: undefined, every: undefined, from: undefined };

  constructor(whole: string, part: Part) {
    this.#whole = whole;
    this.#rest = part;
  }

  rule(): FaultRule {
    for (let match; (match = SELECTOR.exec(this.#rest.text)) !== null;) {
      const [all, name, value] = match;
      const at = this.#rest.at + all.indexOf(value, name.length + 1);
      this.#select(name.toLowerCase(), { text: value, at });
      this.#skip(all.length);
    }
    const [direction, word] = DIRECTION.exec(this.#rest.text) ?? [];
    if (direction !== undefined) this.#skip(direction.length);
    const faults = split(this.#rest, /,/).map((part) => {
      const fault = this.#fault(part);
      this.#check(fault, part);
      this.#parts.set(fault, part);
      if (fault.name === "refuse" && word !== undefined) {
        throw this.#error(part, "'refuse' is for a connection, not for one direction of it");
      }
      return fault;
    });
    const lower = word?.toLowerCase() as Direction | undefined;
    return { selection: this.#selection, direction: lower, faults };
  }

  #skip(length: number): void {
    this.#rest = trimmed({ text: this.#rest.text.slice(length), at: this.#rest.at + length });
  }

  #select(name: string, value: Part): void {
    if (name === "from") {
      if (this.#selection.from !== undefined) throw this.#error(value, "'from' is there twice");
      const from = split(value, /,/).map((part) => this.#cidr(part));
      this.#selection = { ...this.#selection, from };
      return;
    }
    if (name === "chance") return this.#selectByChance(value);
    const { numbers, every } = this.#selection;
    if (numbers !== undefined || every !== undefined) {
      throw this.#error(value, "'conn' is there twice");
    }
    if (value.text === "*") return;
    const [, nth] = /^every\s+(.*)$/i.exec(value.text) ?? [];
    if (nth !== undefined) {
      const at = value.at + value.text.length - nth.length;
      this.#selection = { ...this.#selection, every: this.#count({ text: nth, at }) };
      return;
    }
    const list = split(value, /,/).map((part) => this.#count(part));
    this.#selection = { ...this.#selection, numbers: list };
  }

  #selectByChance(value: Part): void {
    if (this.#selection.chance !== undefined) throw this.#error(value, "'chance' is there twice");
    const chance = percentage(value.text);
    if (chance === undefined) {
      throw this.#error(value, `expected ${PERCENTAGE}, not '${value.text}'`);
    }
    this.#selection = { ...this.#selection, chance };
  }

  #count(part: Part): number {
    const n = /^\d{1,9}$/.test(part.text) ? Number(part.text) : 0;
    if (n > 0) return n;
    throw this.#error(
      part,
      `expected the number of a connection, from 1, 'every N' or '*', not '${part.text}'`,
    );
  }

  #cidr(part: Part): Cidr {
    try {
      return parseCidr(part.text);
    } catch (error) {
      throw this.#error(part, (error as Error).message);
    }
  }

  #fault(part: Part): Fault {
    const [, word, sign = "", value = ""] = /^([a-z]*)\s*(?:([@=])\s*(.*))?$/is.exec(part.text) ??
      [undefined, part.text];
    const name = word.toLowerCase();
    if (!Object.hasOwn(FORMS, name)) throw this.#unknown(part, word);
    const { sign: wanted, expected, parse } = FORMS[name as FaultName];
    const at = part.at + part.text.length - value.length;
    if (sign !== wanted) {
      const form = wanted === "" ? `'${name}' alone` : `'${name}${wanted}' and ${expected}`;
      throw this.#error({ text: "", at: part.at + word.length }, `expected ${form}`);
    }
    const fault = parse(name as FaultName, value);
    if (fault !== undefined) return fault;
    throw this.#error(
      { text: value, at },
      `expected ${expected} after '${name}${sign}', not '${value}'`,
    );
  }

  #unknown(part: Part, word: string): FaultPlanError {
    if (/^(conn|from|chance)$/i.test(word)) {
      const end = { text: "", at: part.at + part.text.length };
      return this.#error(end, `expected ': ' and a fault after '${part.text}'`);
    }
    const names = Object.keys(FORMS);
    const meant = nearest(word, names);
    const hint = meant === undefined ? names.join(", ") : `'${meant}'`;
    return this.#error(part, `expected a fault, not '${word}'. Write ${hint}.`);
  }

  /** Throws if a fault cannot go with one before it in the rule. */
  #check(fault: Fault, part: Part): void {
    for (const other of this.#parts.keys()) {
      if (other.name === fault.name) {
        throw this.#error(part, `'${fault.name}' is there twice in one rule`);
      }
      if (contradict(fault, other)) this.#refuse(part, fault, other, "in the same rule");
    }
  }

  /** Throws for a fault of the rule that was read and cannot go with one of an earlier rule. */
  refuse({ fault, other, rule }: Contradiction): never {
    const part = this.#parts.get(fault)!;
    if (other.name !== fault.name) {
      this.#refuse(part, fault, other, `for the same connections in rule ${rule}`);
    }
    throw this.#error(
      part,
      `'${fault.name}' is there for the same connections in rule ${rule}, which counts`,
    );
  }

  #refuse(part: Part, { name }: Fault, other: Fault, where: string): never {
    const why = `'${name}' contradicts '${other.name}' ${where}. Leave one of them out.`;
    throw this.#error(part, why);
  }

  #error({ at }: Part, why: string): FaultPlanError {
    const short = why.length > MAX_WHY ? `${why.slice(0, MAX_WHY)}…` : why;
    return new FaultPlanError(this.#whole, at, short.endsWith(".") ? short : `${short}.`);
  }
}
