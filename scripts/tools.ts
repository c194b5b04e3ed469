// The build's one dependency. Its version stands in scripts/deno.json, where only scripts find it.

export { Context, deno2node, emit, ts } from "deno2node";
