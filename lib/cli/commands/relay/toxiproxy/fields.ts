/**
 * The fields of the bodies that toxiproxy's API takes.
 *
 * @module
 */

import { badBody } from "./error.ts";

/** An object in JSON. */
export type Body = Readonly<Record<string, unknown>>;

/** Checks that a value is an object. Throws an ApiError. */
export function objectOf(value: unknown, what: string): Body {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  throw badBody(`${what} is not an object`);
}

/** The text of a field; `fallback` if it is missing or null. Throws an ApiError. */
export function textOf<T>(body: Body, name: string, fallback: T): string | T {
  return fieldOf(body, name, "a string", fallback, (value) => typeof value === "string");
}

/** True or false, as {@linkcode textOf}. */
export function flagOf<T>(body: Body, name: string, fallback: T): boolean | T {
  return fieldOf(body, name, "true or false", fallback, (value) => typeof value === "boolean");
}

/** A number, as {@linkcode textOf}. */
export function numberOf<T>(body: Body, name: string, fallback: T): number | T {
  return fieldOf(body, name, "a number", fallback, (value) => typeof value === "number");
}

/** A whole number, as {@linkcode textOf}. */
export function integerOf<T>(body: Body, name: string, fallback: T): number | T {
  return fieldOf(body, name, "a whole number", fallback, Number.isSafeInteger);
}

function fieldOf<V, T>(
  body: Body,
  name: string,
  what: string,
  fallback: T,
  is: (value: unknown) => boolean,
): V | T {
  const value = Object.hasOwn(body, name) ? body[name] ?? undefined : undefined;
  if (value === undefined) return fallback;
  if (is(value)) return value as V;
  throw badBody(`'${name}' is not ${what}`);
}
