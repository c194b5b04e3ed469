/**
 * The notation of each fault in a plan.
 *
 * @module
 */

import { parseDuration } from "../base/duration.ts";
import { parseSize } from "../base/size.ts";
import type { Fault, FaultName, Moment, Place } from "./plan.ts";

/** The longest time of a plan, in milliseconds: what timers can wait. */
const MAX_MS = 2_000_000_000;

/** The notation of a fault. */
export interface Form {
  readonly sign: "@" | "=" | "";
  readonly expected: string;
  readonly parse: (name: FaultName, value: string) => Fault | undefined;
}

const ending: Form = {
  sign: "@",
  expected:
    "bytes (4096, 4k), a time (500ms, 2s), data (data, data+500ms) or a message (message 3)",
  parse: (name, value) => {
    const at = moment(value);
    return at && { name, at } as Fault;
  },
};

const atPlace: Form = {
  sign: "@",
  expected: "bytes (4096, 4k) or a message (message 3)",
  parse: (name, value) => {
    const at = place(value);
    return at && { name, at } as Fault;
  },
};

const atMessage: Form = {
  sign: "@",
  expected: "a message (message 3)",
  parse: (name, value) => {
    const at = ofMessage(value);
    return at && { name, at } as Fault;
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

/** The description of a percentage in messages. */
export const PERCENTAGE = "a percentage from 0% to 100%";

const chance: Form = {
  sign: "=",
  expected: PERCENTAGE,
  parse: (name, value) => {
    const probability = percentage(value);
    return probability === undefined ? undefined : { name, probability } as Fault;
  },
};

/** The forms of all faults. */
export const FORMS: Readonly<Record<FaultName, Form>> = {
  refuse: { sign: "", expected: "nothing", parse: () => ({ name: "refuse" }) },
  reset: ending,
  close: ending,
  stall: ending,
  truncate: atPlace,
  corrupt: atPlace,
  drop: atMessage,
  delay: { sign: "=", expected: "a time (50ms, 50ms±10)", parse: (_, value) => delay(value) },
  rate: ofSize,
  split: {
    sign: "=",
    expected: "bytes from 1 (1, 64k), with a variation and a pause (64±16, 64±16/10ms)",
    parse: (_, value) => splitting(value),
  },
  coalesce: ofTime,
  slowclose: ofTime,
  loss: chance,
  dup: chance,
  reorder: chance,
};

/** Reads a percentage as a probability; undefined if it is not one. */
export function percentage(value: string): number | undefined {
  const percent = /^(\d+\.?\d*|\.\d+) ?%$/.test(value) ? parseFloat(value) : NaN;
  return percent <= 100 ? percent / 100 : undefined;
}

function ofMessage(value: string): { readonly message: number } | undefined {
  const [, number] = /^message\s+(\d{1,9})$/i.exec(value) ?? [];
  return Number(number) >= 1 ? { message: Number(number) } : undefined;
}

function place(value: string): Place | undefined {
  const bytes = size(value, 0);
  return bytes === undefined ? ofMessage(value) : { bytes };
}

function moment(value: string): Moment | undefined {
  const at = place(value);
  if (at !== undefined) return at;
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
