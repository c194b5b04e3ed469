/**
 * Parts of http and https URLs, and of the header field Host.
 *
 * @module
 */

/** The ports of URLs that name none, by protocol. */
export const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** The host, without brackets, and the port that an http or https URL leads to. */
export function endpointOf({ protocol, hostname, port }: URL): { host: string; port: number } {
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return { host, port: port === "" ? DEFAULT_PORTS[protocol] : Number(port) };
}

/** The URL without its user name and password, for messages. */
export function withoutCredentials(url: URL): string {
  const shown = new URL(url);
  shown.username = shown.password = "";
  return shown.href;
}

/**
 * The name or address in the value of Host, as browsers spell it: lower case, ASCII, no dot at the end.
 * Undefined if it has no valid one.
 */
export function hostNameOf(host: string): string | undefined {
  // Characters with another meaning in a URL.
  if (/[/?#@\\\s]/.test(host)) return undefined;
  const url = `http://${host}`;
  if (!URL.canParse(url)) return undefined;
  return new URL(url).hostname.replace(/\.$/, "") || undefined;
}
