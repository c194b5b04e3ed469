/**
 * The URL of the site for other machines and phones in the same network.
 *
 * @module
 */

import { renderUnicodeCompact } from "uqr";
import { formatAddr } from "../../../base/addr.ts";
import type { Log } from "../../io/log.ts";
import { NOT_TOLD, ownAddresses } from "../../serving/own_addresses.ts";
import type { WebOptions } from "./options.ts";

/** Lines with the URLs, and the first one as a QR code if somebody looks at them. */
function describeLan(
  port: number,
  scheme: "http" | "https",
  qrCode: boolean,
): string[] {
  const addresses = ownAddresses();
  if (addresses === undefined) return [NOT_TOLD];
  const urls = addresses.filter(({ internal }) => !internal)
    .map(({ address }) => `${scheme}://${formatAddr({ host: address, port })}/`);
  if (urls.length === 0) return ["this machine has no address that others can reach"];
  return [
    ...urls.map((url) => `for others in the network: ${url}`),
    ...qrCode ? renderUnicodeCompact(urls[0], { border: 2 }).split("\n") : [],
  ];
}

/** Logs where others in the network find a site, and what they may do. */
export function logLan(
  log: Log,
  { auth, site }: Pick<WebOptions, "auth" | "site">,
  port: number,
  scheme: "http" | "https",
): void {
  for (const line of describeLan(port, scheme, !log.json)) log.note(line);
  if (auth === undefined) {
    const may = site.upload ? "read it and add to it" : "read it";
    log.note(`everyone in the network may ${may}; --auth asks for a password`);
  } else if (scheme === "http") log.note("the password crosses the network unencrypted");
}
