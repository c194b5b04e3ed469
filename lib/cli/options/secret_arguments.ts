/**
 * The arguments of a program, made fit for others to read.
 *
 * @module
 */

/** Options whose values are not for a recording. */
const SECRET = /^(--(?:auth|header|user|data)|-[Hud])(=.*)?$/s;

/** The arguments without passwords. */
export function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const [, name, value] = SECRET.exec(arg) ?? [];
    if (value !== undefined) return `${name}=***`;
    if (i > 0 && SECRET.test(args[i - 1]) && !args[i - 1].includes("=")) return "***";
    return arg.replace(/(:\/\/)[^/@]*@/, "$1***@");
  });
}
