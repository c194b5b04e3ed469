/**
 * What users type to call the program that runs: a script, or a command of the npm package.
 *
 * @module
 */

/**
 * Puts the names that users type in place of `server.ts` and `client.ts`. `prefix` is what stands
 * before `server` and `client` there: `"plainsocket "` or `"plainsocket-"`; undefined in the scripts.
 */
export function asCalled(text: string, prefix: string | undefined): string {
  return prefix === undefined ? text : text.replace(/\b(server|client)\.ts\b/g, `${prefix}$1`);
}

/** The lines of the examples that say how to run the same program in another way. */
const ELSEWHERE = / {2}the same (on Node|without a checkout)$/;

/** The same with a help text, whose examples, the lines behind the first empty one, are Deno's. */
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
