// The build's one dependency. Its specifier stands here and not in deno.json, whose imports would
// become dependencies of the package on JSR.

export { Context, deno2node, emit, ts } from "npm:deno2node@6.0.0";
