/**
 * The URL of the site for other machines and phones in the same network.
 *
 * @module
 */

import { renderUnicodeCompact } from "uqr";
import { formatAddr } from "../../../base/addr.ts";
import { NOT_TOLD, ownAddresses } from "../../serving/own_addresses.ts";

/** Lines with the URLs, and the first one as a QR code if somebody looks at them. */
export function describeLan(
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
