/**
 * The name by which users call the program that runs: a script, or a command of the npm package.
 *
 * @module
 */

/** The protocols of each program. */
export const PROTOCOLS: Readonly<Record<string, readonly string[]>> = {
  server: ["echo", "web", "relay", "chat", "watch"],
  client: ["echo", "get", "connect", "resolve", "explain"],
};

/**
 * Returns the program to call in place of `program`, which has no protocol `word`: the other one,
 * if that has it or is it; undefined if not.
 */
export function otherProgram(word: string, program: string): string | undefined {
  const [, before, own, after] = /^(.*)(server|client)(\.ts)?$/.exec(program) ?? [];
  const other = own === "server" ? "client" : "server";
  const call = `${before}${other}${after ?? ""}`;
  const name = word.toLowerCase();
  if (name === other) return call;
  return PROTOCOLS[other].includes(name) ? `${call} ${name}` : undefined;
}

/**
 * Puts the names that users type in place of `server.ts` and `client.ts`. `prefix` is what stands
 * before `server` and `client` there: `"plainsocket "`; undefined in the scripts.
 */
export function asCalled(text: string, prefix: string | undefined): string {
  return prefix === undefined ? text : text.replace(/\b(server|client)\.ts\b/g, `${prefix}$1`);
}

/** The lines of the examples that say how to run the same program in another way. */
const ELSEWHERE = / {2}the same (on Node|without a checkout)$/;

/** The same with a help text, whose examples, the lines after the first empty one, are Deno's. */
export function helpAsCalled(help: string, prefix: string | undefined): string {
  if (prefix === undefined) return help;
  const [title, examples, ...rest] = help.split("\n\n");
  const lines = examples.split("\n").filter((line) => !ELSEWHERE.test(line));
  return asCalled([title, lines.map(exampleForNode).join("\n"), ...rest].join("\n\n"), prefix);
}

/** It becomes a letter longer, so that what it does begins a column further right in every line. */
function exampleForNode(line: string): string {
  const example = line.replace(/^ {2}deno run -A (server|client)\.ts/, "  npx plainsocket $1");
  return example === line ? line.replace(/^( {2}\S.*?)?( {3,})(?=\S)/, "$1$2 ") : example;
}
