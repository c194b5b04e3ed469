// The build's one dependency. Its version stands in scripts/deno.json, where only scripts find it.

export { default as ts } from "typescript";
