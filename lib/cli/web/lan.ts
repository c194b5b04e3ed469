/**
 * How other machines and phones in the same network find the site.
 *
 * @module
 */

import { networkInterfaces } from "node:os";
import { renderUnicodeCompact } from "uqr";
import { formatAddr } from "../../addr.ts";

type Interfaces = ReturnType<typeof networkInterfaces>;

/** The URLs at the machine's addresses; those of IPv4 first, since they are easier to type. */
export function lanUrls(
  interfaces: Interfaces,
  port: number,
  scheme: "http" | "https" = "http",
): string[] {
  const addresses = Object.values(interfaces).flatMap((addresses) => addresses ?? [])
    .filter(({ address, internal }) => !internal && !/^fe80:/i.test(address));
  const urls = (family: string) =>
    addresses.filter((address) => address.family === family)
      .map(({ address }) => `${scheme}://${formatAddr({ host: address, port })}/`);
  return [...urls("IPv4"), ...urls("IPv6")];
}

/** Lines that tell the URLs, with the first one as a QR code too if that is to be looked at. */
export function describeLan(
  port: number,
  scheme: "http" | "https",
  qrCode: boolean,
): string[] {
  let urls: string[];
  try {
    urls = lanUrls(networkInterfaces(), port, scheme);
  } catch {
    return ["this machine's addresses are not told: run again with --allow-sys=networkInterfaces"];
  }
  if (urls.length === 0) return ["this machine has no address that others can reach"];
  return [
    ...urls.map((url) => `for others in the network: ${url}`),
    ...qrCode ? [renderUnicodeCompact(urls[0], { border: 2 })] : [],
  ];
}
