/**
 * The language of fault plans: `conn=1: down: reset@4096; conn=*: up: split=1, delay=50ms±10`.
 *
 * ```
 * plan      = rule *( ( ";" / newline ) rule )     ; "#" begins a comment
 * rule      = *( selector ":" ) [ ( "up" / "down" ) ":" ] fault *( "," fault )
 * selector  = "conn=" ( "*" / N *( "," N ) / "every " N ) / "from=" CIDR *( "," CIDR )
 *           / "chance=" PERCENT
 * fault     = "refuse" / ( "reset" / "close" / "stall" ) "@" ( BYTES / TIME / "data" [ "+" TIME ] )
 *           / ( "truncate" / "corrupt" ) "@" BYTES / "delay=" TIME [ "±" TIME ]
 *           / "rate=" BYTES / "split=" BYTES [ "±" BYTES ] [ "/" TIME ]
 *           / ( "coalesce" / "slowclose" ) "=" TIME / ( "loss" / "dup" / "reorder" ) "=" PERCENT
 * ```
 *
 * @module
 */

import { checkArgument, TEXT } from "../base/arguments.ts";
import { type Cidr, parseCidr } from "../base/cidr.ts";
import { parseDuration } from "../base/duration.ts";
import { escapeText } from "../base/escape.ts";
import { nearest } from "../base/nearest.ts";
import { parseSize } from "../base/size.ts";
import type {
  Direction,
  Fault,
  FaultName,
  FaultPlan,
  FaultRule,
  Moment,
  Selection,
} from "./plan.ts";

/** The longest time of a plan, in milliseconds: what timers can wait. */
const MAX_MS = 2_000_000_000;

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
 * Reads a plan; an empty one has no faults. docs/faults.md describes the language. Throws a
 * {@linkcode FaultPlanError}.
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
export function parseFaultPlan(text: string): FaultPlan {
  checkArgument("parseFaultPlan", text, TEXT);
  const withoutComments = text.replace(/#[^\n]*/g, (comment) => " ".repeat(comment.length));
  return split({ text: withoutComments, at: 0 }, /[;\n]/)
    .filter((part) => part.text !== "")
    .map((part) => new RuleParser(text, part).rule());
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
    const found = new Map<FaultName, Part>();
    const faults = split(this.#rest, /,/).map((part) => {
      const fault = this.#fault(part);
      this.#check(fault, part, found);
      found.set(fault.name, part);
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
      throw this.#error(value, `expected ${chanceForm.expected}, not '${value.text}'`);
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
  #check(fault: Fault, part: Part, found: ReadonlyMap<FaultName, Part>): void {
    const { name } = fault;
    for (const other of found.keys()) {
      const contradicts = other === name || name === "refuse" || other === "refuse" ||
        ENDS.includes(name) && ENDS.includes(other) ||
        SIZES.includes(name) && SIZES.includes(other);
      if (!contradicts) continue;
      throw this.#error(
        part,
        other === name
          ? `'${name}' is there twice in one rule`
          : `'${name}' contradicts '${other}' in the same rule`,
      );
    }
  }

  #error({ at }: Part, why: string): FaultPlanError {
    return new FaultPlanError(this.#whole, at, why.endsWith(".") ? why : `${why}.`);
  }
}

/** Of these, only the first to happen would be seen. */
const ENDS: readonly FaultName[] = ["reset", "close", "stall", "truncate"];

/** One makes pieces smaller, the other larger. */
const SIZES: readonly FaultName[] = ["split", "coalesce"];

/** How a fault is written. */
interface Form {
  readonly sign: "@" | "=" | "";
  readonly expected: string;
  readonly parse: (name: FaultName, value: string) => Fault | undefined;
}

const ending: Form = {
  sign: "@",
  expected: "bytes (4096, 4k), a time (500ms, 2s) or data (data, data+500ms)",
  parse: (name, value) => {
    const at = moment(value);
    return at && { name, at } as Fault;
  },
};

const atByte: Form = {
  sign: "@",
  expected: "bytes (4096, 4k)",
  parse: (name, value) => {
    const bytes = size(value, 0);
    return bytes === undefined ? undefined : { name, at: { bytes } } as Fault;
  },
};

const ofSize: Form = {
  sign: "=",
  expected: "bytes from 1 (1, 64k)",
  parse: (name, value) => {
    const bytes = size(value, 1);
    return bytes === undefined ? undefined : { name, bytes } as Fault;
  },
};

const ofTime: Form = {
  sign: "=",
  expected: "a time (20ms)",
  parse: (name, value) => {
    const ms = time(value);
    return ms === undefined ? undefined : { name, ms } as Fault;
  },
};

const chanceForm: Form = {
  sign: "=",
  expected: "a percentage from 0% to 100%",
  parse: (name, value) => {
    const probability = percentage(value);
    return probability === undefined ? undefined : { name, probability } as Fault;
  },
};

const FORMS: Readonly<Record<FaultName, Form>> = {
  refuse: { sign: "", expected: "nothing", parse: () => ({ name: "refuse" }) },
  reset: ending,
  close: ending,
  stall: ending,
  truncate: atByte,
  corrupt: atByte,
  delay: { sign: "=", expected: "a time (50ms, 50ms±10)", parse: (_, value) => delay(value) },
  rate: ofSize,
  split: {
    sign: "=",
    expected: "bytes from 1 (1, 64k), with a variation and a pause (64±16, 64±16/10ms)",
    parse: (_, value) => splitting(value),
  },
  coalesce: ofTime,
  slowclose: ofTime,
  loss: chanceForm,
  dup: chanceForm,
  reorder: chanceForm,
};

function percentage(value: string): number | undefined {
  const percent = /^(\d+\.?\d*|\.\d+) ?%$/.test(value) ? parseFloat(value) : NaN;
  return percent <= 100 ? percent / 100 : undefined;
}

function moment(value: string): Moment | undefined {
  const bytes = size(value, 0);
  if (bytes !== undefined) return { bytes };
  const [, after] = /^data(?:\s*\+\s*(.*))?$/is.exec(value) ?? [undefined, value];
  const isData = after !== value;
  const ms = isData && after === undefined ? 0 : time(after ?? "");
  return ms === undefined ? undefined : isData ? { data: true, ms } : { ms };
}

function size(value: string, least: number): number | undefined {
  const bytes = parseSize(value);
  return bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= least ? bytes : undefined;
}

function time(value: string): number | undefined {
  const ms = parseDuration(value);
  return ms !== undefined && ms <= MAX_MS ? ms : undefined;
}

/** A value, and what may vary it: `50ms±10`. */
const VARIED = /^(.*?)\s*(?:(?:±|\+-|\+\/-)\s*(.*))?$/s;

/** `64±16/10ms`. */
function splitting(value: string): Fault | undefined {
  const [, sizes, wait] = /^([^/]*(?:\+\/-[^/]*)?)(?:\/(.*))?$/s.exec(value) ?? [];
  if (sizes === undefined) return undefined;
  const [, base, more = "0"] = VARIED.exec(sizes)!;
  const [bytes, variation] = [size(base, 1), size(more, 0)];
  const pause = wait === undefined ? 0 : time(wait.trim());
  if (bytes === undefined || variation === undefined || pause === undefined) return undefined;
  return variation < bytes ? { name: "split", bytes, variation, pause } : undefined;
}

/** `50ms±10`: the jitter has the unit of the delay if it has none of its own. */
function delay(value: string): Fault | undefined {
  const [, base, more] = VARIED.exec(value)!;
  const ms = time(base);
  if (ms === undefined) return undefined;
  const unit = /[a-z]+$/i.exec(base)![0];
  const jitter = more === undefined ? 0 : time(more) ?? time(`${more}${unit}`);
  if (jitter === undefined || jitter > ms) return undefined;
  return { name: "delay", ms, jitter };
}
