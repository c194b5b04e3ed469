/**
 * socat's addresses, for those who know them by heart.
 *
 * @module
 */

interface SocatAddress {
  readonly listens: boolean;
  readonly kind: "tcp" | "udp" | "tls" | "unix";
  /** HOST:PORT, a port or a path, without the options after it. */
  readonly place: string;
}

const KINDS: Readonly<Record<string, SocatAddress["kind"]>> = {
  TCP: "tcp",
  UDP: "udp",
  OPENSSL: "tls",
  SSL: "tls",
  UNIX: "unix",
};

/** Reads an address of socat's, as `TCP-LISTEN:8080,fork` or `OPENSSL:host:443`. */
function parse(text: string | undefined): SocatAddress | undefined {
  const [, kind, way = "", place] =
    /^(TCP|UDP|OPENSSL|SSL|UNIX)[46]?(-LISTEN|-L|-CONNECT|-CLIENT|-RECVFROM|-SENDTO)?:([^,]+)/i
      .exec(text ?? "") ?? [];
  // Our own URLs have slashes there.
  if (kind === undefined || place.startsWith("//")) return undefined;
  return { listens: /^-(L|RECV)/i.test(way), kind: KINDS[kind.toUpperCase()], place };
}

/** Advice for one or two of socat's addresses. Undefined if `first` is not one. */
export function socatHint(first: string, second: string | undefined): string | undefined {
  const one = parse(first);
  if (one === undefined) return undefined;
  const other = parse(second);
  if (one.listens) {
    const listen = one.kind === "unix" ? `--unix ${one.place}` : `--port ${one.place}`;
    const tls = one.kind === "tls" ? " --tls-self-signed" : "";
    if (other === undefined || other.listens) {
      return `say '${one.kind === "udp" ? "echo --udp " : ""}${listen}${tls}'`;
    }
    const to = other.kind === "tcp" ? other.place : `${other.kind}:${other.place}`;
    return `say 'relay ${listen}${tls} --to ${to}'`;
  }
  const options = { tcp: "", udp: "--udp ", tls: "--tls ", unix: "--unix " }[one.kind];
  return `say 'connect ${options}${one.place}'`;
}
