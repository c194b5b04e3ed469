/**
 * The host name of this machine. Its twin for Deno is `host_name.deno.ts`.
 *
 * @module
 */

import { hostname } from "node:os";

/** The name of this machine. */
export function hostName(): string | undefined {
  return hostname();
}
