/**
 * Access rules: networks that are allowed or denied, and the connections of one address.
 *
 * @module
 */

import type { Admission } from "../net/admission.ts";
import { checkOptions, FUNCTION, type Kinds, LIMIT, TEXTS } from "../base/arguments.ts";
import { CidrSet, parseCidr, parseScopedIP } from "../base/ip.ts";
import { counted } from "../base/counted.ts";
import type { Addr, TcpAddr, UdpAddr } from "../base/addr.ts";

/** Networks in CIDR notation, IPv4 or IPv6, or single addresses. */
export interface AccessRules {
  /** Networks that may connect. Nobody may if it is empty. Default: everyone may. */
  readonly allow?: readonly string[];
  /** Networks that may not connect, even if they are allowed. Default: no network. */
  readonly deny?: readonly string[];
}

/** Options of {@linkcode AccessList}. */
export interface AccessOptions extends AccessRules {
  /**
   * The number of connections that one address may have at once; 0 for no limit. Each IPv6 address
   * counts by itself, although a host can have many. Default: 0.
   */
  readonly maxPerAddress?: number;
  /**
   * Networks of proxies. They may connect, and their connections do not count. An HTTP server with
   * these in `trustProxy` asks for the client of each request. Default: none.
   */
  readonly proxies?: readonly string[];
  /** Called for each refusal, with the reason as the middle of a sentence. It must not throw. */
  readonly onRefuse?: (remoteAddr: TcpAddr | UdpAddr, why: string) => void;
}

const RULES: Kinds<AccessRules> = { allow: TEXTS, deny: TEXTS };

const OPTIONS: Kinds<AccessOptions> = {
  ...RULES,
  maxPerAddress: LIMIT,
  proxies: TEXTS,
  onRefuse: FUNCTION,
};

/**
 * Decides who may connect: give it to {@linkcode serve}, {@linkcode serveLight},
 * {@linkcode serveHttp} or {@linkcode serveDatagrams} as `admission`. An address that is denied may not; if `allow` is given,
 * the others may not; of the rest, those that have `maxPerAddress` connections may have no more.
 *
 * IPv4 addresses are IPv4 also on a listener for both families, and as `::ffff:192.0.2.1`; `::/0` is
 * all of IPv6 and nothing of IPv4. The zone of an address (`fe80::1%eth0`) does not count. Peers
 * without an IP address, those of Unix sockets, are always admitted: the permissions of the socket
 * file are for them. An address that is not an IP address is refused.
 *
 * The constructor and {@linkcode AccessList.replace} throw a `TypeError` for a network that is not
 * valid, or that has bits set after its prefix (`10.0.0.1/8`).
 *
 * With TLS, give it to the listener, too ({@linkcode TlsServerOptions.admission}). Otherwise a
 * denied client shakes hands first.
 *
 * @example
 * ```ts
 * import { AccessList, serve, systemTransport } from "@plainsocket/plainsocket";
 * import { echo } from "@plainsocket/plainsocket/protocols";
 *
 * const access = new AccessList({
 *   allow: ["127.0.0.0/8", "::1", "192.168.0.0/16"],
 *   deny: ["192.168.0.1"],
 *   maxPerAddress: 100,
 * });
 * const listener = await systemTransport.listen({ host: "localhost" });
 * const server = serve(listener, echo(), { admission: access });
 *
 * access.replace({ allow: ["127.0.0.1"] }); // for new connections; the open ones stay
 *
 * await server.stop();
 * ```
 */
export class AccessList implements Admission {
  readonly #maxPerAddress: number;
  readonly #proxies: CidrSet;
  readonly #onRefuse: ((remoteAddr: TcpAddr | UdpAddr, why: string) => void) | undefined;
  /** The number of connections by address. Addresses without a connection are not in it. */
  readonly #counts = new Map<string, number>();
  #refused = 0;
  #allow!: CidrSet | undefined;
  #deny!: CidrSet;

  /** Makes a list; see the class. */
  constructor(options: AccessOptions) {
    checkOptions("new AccessList", options, OPTIONS, '{ allow: ["127.0.0.0/8"] }');
    this.#maxPerAddress = options.maxPerAddress ?? 0;
    this.#proxies = new CidrSet((options.proxies ?? []).map(parseCidr));
    this.#onRefuse = options.onRefuse;
    this.#setRules(options);
  }

  /**
   * The number of connections that were refused so far, and, with TLS, handshakes; or datagrams.
   */
  get refused(): number {
    return this.#refused;
  }

  /** Replaces the rules. Connections that were admitted before stay. */
  replace(rules: AccessRules): void {
    checkOptions("replace", rules, RULES, '{ allow: ["127.0.0.0/8"] }');
    this.#setRules(rules);
  }

  #setRules({ allow, deny = [] }: AccessRules): void {
    const denied = deny.map(parseCidr);
    this.#allow = allow && new CidrSet(allow.map(parseCidr));
    this.#deny = new CidrSet(denied);
  }

  /** See {@linkcode Admission.admit}. */
  admit(remoteAddr: Addr | UdpAddr): boolean {
    if (remoteAddr.transport === "unix") return true;
    const { host } = remoteAddr;
    if (this.#proxies.has(host)) return true;
    const count = this.#counts.get(host) ?? 0;
    const why = this.#whyNot(host) ?? this.#whyNoMore(count);
    if (why !== undefined) {
      this.#refused++;
      this.#onRefuse?.(remoteAddr, why);
      return false;
    }
    this.#counts.set(host, count + 1);
    return true;
  }

  /** See {@linkcode Admission.release}. */
  release(remoteAddr: Addr | UdpAddr): void {
    if (remoteAddr.transport === "unix") return;
    const count = this.#counts.get(remoteAddr.host) ?? 0;
    if (count > 1) this.#counts.set(remoteAddr.host, count - 1);
    else this.#counts.delete(remoteAddr.host);
  }

  #whyNot(host: string): string | undefined {
    // It is in no network, so the denied ones would not catch it.
    if (parseScopedIP(host) === undefined) return "its address is not an IP address";
    if (this.#deny.has(host)) return "its address is denied";
    return this.#allow?.has(host) === false ? "its address is not allowed" : undefined;
  }

  #whyNoMore(count: number): string | undefined {
    if (this.#maxPerAddress === 0 || count < this.#maxPerAddress) return undefined;
    return `its address has ${counted(count, "connection")} already`;
  }
}
