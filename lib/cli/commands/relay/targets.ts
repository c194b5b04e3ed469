/**
 * One target of `relay` or several, on its command line and in files.
 *
 * @module
 */

import { readEntries } from "../../io/files.ts";
import {
  type Flag,
  list,
  needing,
  ofOption,
  optional,
  seconds,
  UsageError,
  type Values,
} from "../../io/flags.ts";
import { isInFile } from "../../io/secret.ts";
import { type Destination, formatDestination } from "../../options/destination.ts";
import type { ListenAddress } from "../../options/listen_address.ts";
import { type ProxyVersion, SEND_PROXY_FLAG } from "./send_proxy.ts";
import {
  isSecure,
  parseTargetTls,
  readTarget,
  refuseTlsFlags,
  TARGET_FLAGS,
  type TargetTls,
} from "./target.ts";
import {
  formatTarget,
  parseRelayTarget,
  placeOf,
  type RelayTargetOptions,
} from "./web_socket_target.ts";

/** The most targets. Each has a check of its own. */
const MAX_TARGETS = 100;

const { to: _to, ...OF_TARGET } = TARGET_FLAGS;

/** The flags. */
export const RELAY_TARGET_FLAGS: Omit<typeof TARGET_FLAGS, "to"> & {
  readonly to: Flag<readonly string[]>;
  readonly "check-interval": Flag<number | undefined>;
  readonly "send-proxy": Flag<ProxyVersion | undefined>;
} = {
  to: list("TARGET", "HOST:PORT, tls:HOST:PORT, unix:PATH or ws://…; repeatable"),
  ...OF_TARGET,
  "check-interval": optional(
    seconds(5, "between two checks of each of several targets (default 5)"),
  ),
  "send-proxy": needing("to", SEND_PROXY_FLAG),
};

/** Several targets. Plain data, which workers get, too. */
export interface SeveralTargets {
  /** As they were when the relay started. */
  readonly targets: readonly Destination[];
  /** The values of --to: targets, and files of them as `@FILE`. */
  readonly items: readonly string[];
  readonly tls: TargetTls;
  /** Undefined: they are not told who the client is. */
  readonly sendProxy: ProxyVersion | undefined;
  /** The time to connect to one, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number;
  /** The time between two checks, in milliseconds. */
  readonly checkInterval: number;
  /** The address at which the relay listens, which is not a target. */
  readonly listenAddress: ListenAddress;
}

/** The targets of a relay. */
export type RelayTo = RelayTargetOptions | SeveralTargets;

/** Makes what the flags of a relay that listens at `listenAddress` say. Throws a {@linkcode UsageError}. */
export function parseTo(
  values: Values<typeof RELAY_TARGET_FLAGS>,
  listenAddress: ListenAddress,
): RelayTo {
  const { to: items, "connect-timeout": connectTimeout, "check-interval": every } = values;
  const sendProxy = values["send-proxy"];
  const [first = "", ...more] = items;
  if (more.length === 0 && !isInFile(first)) {
    if (every === undefined) return { ...parseRelayTarget({ ...values, to: first }), sendProxy };
    throw new UsageError("Option --check-interval is for several targets: give --to again");
  }
  if (every === 0) throw new UsageError("Option --check-interval takes more than 0 seconds");
  if (!items.some((item) => isInFile(item) || isSecure(item))) refuseTlsFlags(values);
  const tls = parseTargetTls(values);
  const targets = readTargets({ items, tls });
  return {
    targets,
    items,
    tls,
    sendProxy,
    connectTimeout,
    checkInterval: every ?? 5000,
    listenAddress,
  };
}

/** Reads the targets, with those in files. Throws a {@linkcode UsageError}. */
export function readTargets({ items, tls }: Pick<SeveralTargets, "items" | "tls">): Destination[] {
  const targets = items.flatMap((item) => {
    if (!isInFile(item)) return [readOne(item, tls)];
    const entries = ofOption("--to", () => readEntries(item.slice(1)));
    return entries.map(({ text, where }) => readOne(text, tls, where));
  });
  if (targets.length === 0) {
    throw new UsageError(`Option --to: there is no target in '${items[0].slice(1)}'`);
  }
  if (targets.length > MAX_TARGETS) {
    throw new UsageError(`Option --to: there are more than ${MAX_TARGETS} targets`);
  }
  const names = targets.map(formatDestination);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return targets;
  throw new UsageError(`Option --to: ${twice} is there twice`);
}

function readOne(text: string, tls: TargetTls, where = ""): Destination {
  if (!/^wss?:/.test(text)) return readTarget(text, () => tls, where);
  throw new UsageError(`Option --to: ${where}'${text}': a WebSocket is the only target of a relay`);
}

/** Whether the targets are read again on SIGHUP. */
export function readsTargets(to: RelayTo | undefined): boolean {
  return to !== undefined && "items" in to && to.items.some(isInFile);
}

/** The places of the targets. */
export function placesOf(to: RelayTo): readonly Destination[] {
  return "targets" in to ? to.targets : [placeOf(to.target)];
}

/** In words, for the log. */
export function describeTo(to: RelayTo): string {
  return "targets" in to ? to.targets.map(formatDestination).join(", ") : formatTarget(to.target);
}
