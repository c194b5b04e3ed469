/**
 * The host name of this machine. Its twin for Node is `host_name.node.ts`.
 *
 * @module
 */

/** The name of this machine; undefined where Deno's permissions hide it. It never asks for one. */
export function hostName(): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
  return state === "granted" ? Deno.hostname() : undefined;
}
