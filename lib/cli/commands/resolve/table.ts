/**
 * The addresses of a name as a table, and as JSON.
 *
 * @module
 */

import { addressFamily, formatAddr, interleave } from "../../../base/addr.ts";
import { ERROR_CODES } from "../../../base/error_codes.ts";
import type { Endpoint, TcpAddr } from "../../../base/addr.ts";
import { type Candidate, milliseconds, whyWon } from "./race.ts";

/** The socket type and protocol of all addresses, in the names of getaddrinfo(3). */
const SOCKET = { type: "SOCK_STREAM", protocol: "IPPROTO_TCP" } as const;

/** Says in which order the system has the addresses, if that is not the one they are tried in. */
export function systemOrder(found: readonly TcpAddr[]): string | undefined {
  const [system, ours] = [found, interleave(found)].map((addrs) => addrs.map(shown).join(", "));
  return system === ours ? undefined : `the system's order is ${system}`;
}

/** The addresses in the order they would be tried in, as lines of a table. */
export function addressTable(addrs: readonly TcpAddr[]): string {
  return columns([HEAD, ...addrs.map(cells)]);
}

/** The same with what became of each, and why one of them won. */
export function raceTable(candidates: readonly Candidate[]): string {
  const decided = candidates.some(({ outcome }) => outcome === "won");
  const rows = candidates.map((candidate, i) => [
    ...cells(candidate.addr, i),
    candidate.began === undefined ? "-" : milliseconds(candidate.began),
    candidate.ended === undefined ? "-" : milliseconds(candidate.ended),
    resultOf(candidate, decided),
  ]);
  const why = decided ? `\n${whyWon(candidates)}\n` : "";
  return columns([[...HEAD, "began", "ended", "result"], ...rows]) + why;
}

/** An address as it is written; port 0 stands for none. */
function shown(addr: Endpoint): string {
  return addr.port === 0 ? addr.host : formatAddr(addr);
}

const HEAD = ["order", "family", "type", "protocol", "address"];

function cells(addr: TcpAddr, i: number): string[] {
  return [String(i + 1), addressFamily(addr), SOCKET.type, SOCKET.protocol, shown(addr)];
}

function resultOf({ outcome, error }: Candidate, decided: boolean): string {
  if (outcome === "given up") return decided ? "given up: another was faster" : "no answer";
  return error === undefined ? outcome : `${error.code}: ${ERROR_CODES[error.code].why}`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => `${row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd()}\n`)
    .join("");
}

/** The addresses as a JSON value. */
export function addressJson(endpoint: Endpoint, addrs: readonly TcpAddr[]): unknown {
  return { endpoint: shown(endpoint), candidates: addrs.map(describe) };
}

/** The same with what became of each, times in milliseconds. */
export function raceJson(endpoint: Endpoint, candidates: readonly Candidate[]): unknown {
  return {
    endpoint: formatAddr(endpoint),
    candidates: candidates.map(({ addr, began, ended, outcome, error }, i) => ({
      ...describe(addr, i),
      began: began && round(began),
      ended: ended && round(ended),
      outcome,
      code: error?.code,
    })),
    why: whyWon(candidates),
  };
}

function describe(addr: TcpAddr, i: number): Record<string, unknown> {
  const { host: address, port } = addr;
  const asked = port === 0 ? {} : { port };
  return { order: i + 1, family: addressFamily(addr), ...SOCKET, address, ...asked };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
