/**
 * Toxics: what toxiproxy can do to the connections of a proxy, and the faults that do it here.
 *
 * @module
 */

import type { Fault, FaultRule } from "../../../../faults/plan.ts";
import { ApiError } from "./error.ts";
import { type Body, integerOf, numberOf, objectOf, textOf } from "./fields.ts";

/** A toxic, as the API shows it. */
export interface Toxic {
  /** All are whole numbers. */
  readonly attributes: Readonly<Record<string, number>>;
  readonly name: string;
  readonly type: string;
  readonly stream: "upstream" | "downstream";
  /** The probability that a connection has it. */
  readonly toxicity: number;
}

/** A kind of toxics. */
interface ToxicType {
  /** The names of its attributes; those that are not given are 0. */
  readonly attributes: readonly string[];
  readonly faults: (attributes: Readonly<Record<string, number>>) => readonly Fault[];
}

/** The longest time, in milliseconds: what timers can wait. */
const MAX_MS = 2_000_000_000;

/** The time of an attribute, in milliseconds. A negative time counts as 0. */
function msOf(value: number): number {
  return Math.min(Math.max(0, value), MAX_MS);
}

const TYPES: Readonly<Record<string, ToxicType>> = {
  latency: {
    attributes: ["latency", "jitter"],
    faults: ({ latency, jitter }) => [{ name: "delay", ms: msOf(latency), jitter: msOf(jitter) }],
  },
  bandwidth: {
    attributes: ["rate"],
    faults: ({ rate }) => [{ name: "rate", bytes: Math.max(0, rate) * 1000 }],
  },
  slow_close: {
    attributes: ["delay"],
    faults: ({ delay }) => [{ name: "slowclose", ms: msOf(delay) }],
  },
  timeout: {
    attributes: ["timeout"],
    faults: ({ timeout }) => {
      const lost: Fault = { name: "truncate", at: { bytes: 0 } };
      return timeout <= 0 ? [lost] : [lost, { name: "close", at: { ms: msOf(timeout) } }];
    },
  },
  reset_peer: {
    attributes: ["timeout"],
    faults: ({ timeout }) => [{ name: "reset", at: { data: true, ms: msOf(timeout) } }],
  },
  slicer: {
    attributes: ["average_size", "size_variation", "delay"],
    faults: ({ average_size: average, size_variation: varied, delay }) => {
      const bytes = Math.max(1, average);
      const variation = Math.min(Math.max(0, varied), bytes - 1);
      // In microseconds.
      return [{ name: "split", bytes, variation, pause: msOf(delay / 1000) }];
    },
  },
  limit_data: {
    attributes: ["bytes"],
    faults: ({ bytes }) => [{
      name: "close",
      at: bytes > 0 ? { bytes } : { data: true, ms: 0 },
    }],
  },
  noop: { attributes: [], faults: () => [] },
};

/** Makes the toxic that a body describes. Throws an {@linkcode ApiError}. */
export function parseToxic(value: unknown): Toxic {
  const body = objectOf(value, "the toxic");
  const type = textOf(body, "type", "");
  const stream = textOf(body, "stream", "downstream").toLowerCase();
  if (stream !== "upstream" && stream !== "downstream") {
    throw new ApiError(400, "stream was invalid, can be either upstream or downstream");
  }
  if (!Object.hasOwn(TYPES, type)) throw new ApiError(400, "invalid toxic type");
  const name = textOf(body, "name", "") || `${type}_${stream}`;
  const none = Object.fromEntries(TYPES[type].attributes.map((name) => [name, 0]));
  const toxic = { attributes: none, name, type, stream, toxicity: 1 } as const;
  return updatedToxic(toxic, body);
}

/** The toxic with what a body changes: its attributes and its toxicity. Throws an {@linkcode ApiError}. */
export function updatedToxic(toxic: Toxic, value: unknown): Toxic {
  const body = objectOf(value, "the toxic");
  const given = objectOf(body.attributes ?? {}, "'attributes'");
  return {
    ...toxic,
    attributes: attributesOf(toxic, given),
    toxicity: numberOf(body, "toxicity", toxic.toxicity),
  };
}

function attributesOf({ type, attributes }: Toxic, given: Body): Record<string, number> {
  return Object.fromEntries(
    TYPES[type].attributes.map((name) => [name, integerOf(given, name, attributes[name])]),
  );
}

/** The rule that has the faults of a toxic. It counts from when it is set. */
export function ruleOf({ type, attributes, stream, toxicity }: Toxic): FaultRule {
  return {
    selection: { numbers: undefined, every: undefined, from: undefined, chance: toxicity },
    direction: stream === "upstream" ? "up" : "down",
    faults: TYPES[type].faults(attributes),
    stacks: true,
  };
}
