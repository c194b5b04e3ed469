/**
 * Tells requests of the server's own pages from those of other sites (RFC 6454).
 *
 * @module
 */

/**
 * Whether a page with this Origin is of the host that the request is for. Behind a proxy that speaks TLS the
 * scheme is another one than the server's, so only hosts and ports are compared. The default port of the
 * origin's scheme may be in `host`, as some proxies have it.
 */
export function isOwnOrigin(origin: string, host: string): boolean {
  const [scheme] = /^https?:\/\//i.exec(origin) ?? [];
  if (scheme === undefined) return false;
  const [page, own] = [origin, scheme + host].map((url) =>
    URL.canParse(url) ? new URL(url).host : ""
  );
  return own !== "" && page === own;
}
