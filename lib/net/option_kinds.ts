/**
 * Telling apart what options ask for.
 *
 * @module
 */

/** Whether it is a Unix socket. */
export function asksForUnix<O extends object>(
  options: O,
): options is Extract<O, { readonly path: string }> {
  return "path" in options && options.path !== undefined;
}

/** Whether it is TLS. */
export function asksForTls<O extends object>(
  options: O,
): options is Extract<O, { readonly tls: object }> {
  return "tls" in options && options.tls !== undefined;
}

/** Whether it is a socket that is bound already. */
export function isInherited<O extends object>(
  options: O,
): options is Extract<O, { readonly fd: number }> {
  return "fd" in options && options.fd !== undefined;
}
