/**
 * The command line of the echo server.
 *
 * @module
 */

import { type CommandLine, commandLine, type CommandOptions, optionsOnly } from "../../command.ts";
import { size, toggle, UsageError, type Values } from "../../io/flags.ts";
import { type AccessOptions, parseAccess } from "../../options/access_flags.ts";
import { GENERAL_FLAGS, parseLog } from "../../options/common.ts";
import { INSTRUMENT_FLAGS, parseInstruments } from "../../options/instrument_flags.ts";
import { type InetListenAddress, parseListenAddress } from "../../options/listen_address.ts";
import { parseProxies } from "../../options/proxy_protocol.ts";
import { parseServing, servingFlags, type ServingOptions } from "../../options/serving.ts";
import { parseTls } from "../../options/tls_server.ts";
import { parseWorkers, WORKER_FLAGS, type WorkerOptions } from "../../options/workers.ts";
import {
  type MessageOptions,
  parseMessageOptions,
  webSocketFlags,
} from "../../web_socket/options.ts";

/** The default port. */
const PORT = 10000;

const FLAGS = {
  ...servingFlags(PORT),
  ...WORKER_FLAGS,
  udp: toggle("answer datagrams (UDP), one by one"),
  "recv-size": size([1, 2 ** 26], 65536, "most bytes to receive at once (default 64 KiB)"),
  ...webSocketFlags("speak WebSocket: each message comes back as it is"),
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

/** Flags about connections, which cannot go with --udp. */
const NOT_WITH_UDP = [
  "backlog",
  "max-connections",
  "max-per-address",
  "idle-timeout",
  "grace",
  "recv-size",
  "ws",
  "systemd",
  "fd",
  "proxy-protocol",
  "metrics",
] as const;

/** The options that mean nothing with --ws: Pings notice a peer that is gone. */
const NOT_WITH_WS = ["idle-timeout", "recv-size"] as const;

type EchoValues = Values<typeof FLAGS>;

/** Options of the handler. Plain data, which workers get, too. */
export interface EchoHandlerOptions {
  /** The most bytes to receive at once. */
  readonly recvSize: number;
}

/** The echo server of connections. */
export interface EchoStreamOptions extends CommandOptions {
  readonly protocol: "stream";
  readonly serving: ServingOptions;
  readonly workers: WorkerOptions | undefined;
  readonly handler: EchoHandlerOptions;
}

/** The echo server of datagrams. */
export interface EchoDatagramOptions extends CommandOptions {
  readonly protocol: "datagram";
  readonly listenAddress: InetListenAddress;
  /** The clients that are answered. Undefined is all. */
  readonly access: AccessOptions | undefined;
}

/** The echo server of WebSockets. */
export interface EchoMessageOptions extends CommandOptions {
  readonly protocol: "message";
  readonly serving: ServingOptions;
  readonly workers: WorkerOptions | undefined;
  readonly messages: MessageOptions;
}

/** Options of the echo server. */
export type EchoServerOptions = EchoStreamOptions | EchoMessageOptions | EchoDatagramOptions;

/** Makes the options of the echo server. */
async function parseEchoServer(
  values: EchoValues,
  positionals: readonly string[],
): Promise<EchoServerOptions> {
  await optionsOnly(positionals, "echo takes options only");
  const { workers: count } = values;
  const common = {
    log: parseLog(values),
    instruments: parseInstruments(values, { serves: true, workers: count, udp: values.udp }),
    proxies: parseProxies(values),
  };
  if (values.udp) return { ...common, protocol: "datagram", ...parseDatagram(values) };
  const serving = parseServing(values, PORT);
  const workers = parseWorkers(values, serving.access);
  if (values.ws) {
    return { ...common, protocol: "message", serving, workers, messages: parseMessages(values) };
  }
  const handler = { recvSize: values["recv-size"] };
  return { ...common, protocol: "stream", serving, workers, handler };
}

function parseMessages(values: EchoValues): MessageOptions {
  const given = NOT_WITH_WS.find((name) => values[name] !== FLAGS[name].fallback);
  if (given !== undefined) throw new UsageError(`Option --ws cannot be used with --${given}`);
  return parseMessageOptions(values);
}

function parseDatagram(values: EchoValues): Pick<EchoDatagramOptions, "listenAddress" | "access"> {
  const given = NOT_WITH_UDP.find((name) => values[name] !== FLAGS[name].fallback);
  if (given !== undefined) throw new UsageError(`Option --udp cannot be used with --${given}`);
  if (values.workers > 0) throw new UsageError("Option --udp cannot be used with --workers");
  if (parseTls(values) !== undefined) throw new UsageError("Option --udp cannot be used with TLS");
  const listenAddress = parseListenAddress(values, PORT, false);
  if (!("host" in listenAddress)) throw new UsageError("Option --udp cannot be used with --unix");
  return { listenAddress, access: parseAccess(values, 0) };
}

/** The command line. */
export const ECHO_SERVER_LINE: CommandLine<EchoServerOptions> = commandLine(FLAGS, parseEchoServer);
