/**
 * The zone of an IPv6 address that is good on one link only (RFC 4007): which of the machine's
 * interfaces leads to it, as in `fe80::1%eth0`.
 *
 * @module
 */

import { networkInterfaces } from "node:os";
import type { SocketOp } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";
import { formatIP, parseScopedIP } from "../base/ip.ts";
import type { Endpoint } from "../base/addr.ts";

/** An interface that has addresses. */
interface Interface {
  readonly name: string;
  /** What the kernel counts it as, if one of its addresses tells. */
  readonly number: string | undefined;
  readonly addresses: readonly string[];
}

/** None where Deno's permissions hide them. */
function interfaces(): Interface[] {
  try {
    return Object.entries(networkInterfaces()).map(([name, infos = []]) => {
      const scopes = infos.map((info) => info.family === "IPv6" ? info.scopeid : 0);
      const number = scopes.find((scope) => scope !== 0)?.toString();
      return { name, number, addresses: infos.map(({ address }) => address) };
    });
  } catch {
    return [];
  }
}

/** The zone of an address literal; undefined if it has none. */
export function zoneIn(host: string): string | undefined {
  const at = host.indexOf("%");
  return at < 0 ? undefined : host.slice(at + 1);
}

/** Whether it is an address literal of one link, `fe80::/10`. */
export function isLinkLocal(host: string): boolean {
  if (!/^fe[89ab]/i.test(host)) return false;
  const bytes = parseScopedIP(host);
  return bytes?.length === 16;
}

/** An address as a runtime gives it that leaves its zone out: with `zone`, if it is one of a link. */
export function inZone(host: string, zone: string | undefined): string {
  return zone === undefined || !isLinkLocal(host) || host.includes("%") ? host : `${host}%${zone}`;
}

/** The zone of an address that this machine has; undefined if none has it, or several. */
export function zoneOfOwn(host: string): string | undefined {
  if (!isLinkLocal(host)) return undefined;
  const bare = formatIP(parseScopedIP(host)!);
  const found = interfaces().filter(({ addresses }) => addresses.includes(bare));
  return found.length === 1 ? found[0].name : undefined;
}

/** The error of an address literal that is one of a link, and does not say of which; else undefined. */
export function missingZone(op: SocketOp, addr: Endpoint): SocketError | undefined {
  if (!isLinkLocal(addr.host) || zoneIn(addr.host) !== undefined) return undefined;
  const known = interfaces();
  const linked = known.filter(({ addresses }) => addresses.some(isLinkLocal));
  const all = linked.length > 0 ? linked : known;
  const example = `${addr.host}%${all[0]?.name ?? "eth0"}`;
  const why = `there is such an address on every link, and its zone is missing: write ${example}` +
    (all.length === 0 ? "" : `; ${theInterfaces(all)}`);
  return new SocketError("EINVAL", op, { addr, why });
}

/** Throws that error. */
export function needZone(op: SocketOp, addr: Endpoint): void {
  const error = missingZone(op, addr);
  if (error !== undefined) throw error;
}

/**
 * The host of an address, its zone in the way that a runtime takes: by the name of the interface, or
 * by its number. Throws EINVAL if there is no such interface.
 */
export function checkZone(op: SocketOp, addr: Endpoint, by: "name" | "number" = "name"): string {
  const { host } = addr;
  const zone = zoneIn(host);
  if (zone === undefined) return host;
  const all = interfaces();
  const found = all.find(({ name, number }) => name === zone || number === zone);
  if (found?.[by] !== undefined) return `${host.slice(0, host.indexOf("%"))}%${found[by]}`;
  // Only the addresses of a link tell the number of theirs.
  if (all.length === 0 || /^\d+$/.test(zone) && !isLinkLocal(host)) return host;
  const why = found === undefined
    ? `there is no zone '${zone}'; ${theInterfaces(all)}`
    : `the number of zone '${zone}' is not known: write it instead, as in ::1%1`;
  throw new SocketError("EINVAL", op, { addr, why });
}

function theInterfaces(all: readonly Interface[]): string {
  const names = all.map(({ name }) => name).join(", ");
  return all.length === 1 ? `the interface here is ${names}` : `the interfaces here are ${names}`;
}
