/**
 * The command line of `relay`.
 *
 * @module
 */

import { type CommandLine, commandLine, type CommandOptions } from "../../command.ts";
import { INSTRUMENT_FLAGS, parseInstruments } from "../../options/instrument_flags.ts";
import { GENERAL_FLAGS, noMore, parseLog } from "../../options/common.ts";
import { UsageError, type Values } from "../../io/flags.ts";
import {
  type MessageOptions,
  parseMessageOptions,
  webSocketFlags,
} from "../../web_socket/options.ts";
import { parseTo, RELAY_TARGET_FLAGS, type RelayTo } from "./targets.ts";
import { parseToxiproxy, TOXIPROXY_FLAGS } from "./toxiproxy/flags.ts";
import type { ToxiproxyOptions } from "./toxiproxy/server.ts";
import { parseProxies } from "../../options/proxy_protocol.ts";
import { parseServing, servingFlags, type ServingOptions } from "../../options/serving.ts";
import { parseWorkers, WORKER_FLAGS, type WorkerOptions } from "../../options/workers.ts";

const PORT = 10001;

const FLAGS = {
  ...RELAY_TARGET_FLAGS,
  ...webSocketFlags("take clients that speak WebSocket, in binary messages"),
  ...servingFlags(PORT),
  ...WORKER_FLAGS,
  ...INSTRUMENT_FLAGS,
  ...TOXIPROXY_FLAGS,
  ...GENERAL_FLAGS,
};

/** The options that mean nothing with --ws, or are about bytes. */
const NOT_WITH_WS = ["toxiproxy-api", "idle-timeout"] as const;

/** Options of the relay. */
export interface RelayOptions extends CommandOptions {
  /** Undefined if all relays are made by the API. */
  readonly to: RelayTo | undefined;
  /** How clients speak WebSocket. Undefined is bytes. */
  readonly messages: MessageOptions | undefined;
  /** Undefined: no API. */
  readonly toxiproxy: ToxiproxyOptions | undefined;
  readonly serving: ServingOptions;
  readonly workers: WorkerOptions | undefined;
}

async function parseRelay(
  values: Values<typeof FLAGS>,
  positionals: readonly string[],
): Promise<RelayOptions> {
  if (positionals.length > 0) {
    const { relayAdvice } = await import("../../advice/first_word.ts");
    noMore(positionals, relayAdvice(positionals, values.to.length > 0));
  }
  const serving = parseServing(values, PORT);
  const toxiproxy = parseToxiproxy(values, serving);
  const hasNone = toxiproxy !== undefined && values.to.length === 0;
  const to = hasNone ? undefined : parseTo(values, serving.listenAddress);
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { serves: true, workers: values.workers }),
    proxies: parseProxies(values),
    to,
    messages: parseWs(values),
    toxiproxy,
    serving,
    workers: parseWorkers(values, serving.access, { items: values.to }),
  };
}

function parseWs(values: Values<typeof FLAGS>): MessageOptions | undefined {
  if (!values.ws) return undefined;
  const given = NOT_WITH_WS.find((name) => values[name] !== FLAGS[name].fallback);
  if (given !== undefined) throw new UsageError(`Option --ws cannot be used with --${given}`);
  return parseMessageOptions(values);
}

/** The command line. */
export const RELAY_LINE: CommandLine<RelayOptions> = commandLine(FLAGS, parseRelay);
