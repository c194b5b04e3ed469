/**
 * The command line of the echo client.
 *
 * @module
 */

import type { Endpoint } from "../../../base/addr.ts";
import { type CommandLine, commandLine, type CommandOptions } from "../../command.ts";
import {
  type Flag,
  integer,
  needing,
  seconds,
  size,
  toggle,
  UsageError,
  type Values,
} from "../../io/flags.ts";
import type { Io } from "../../io/io.ts";
import { GENERAL_FLAGS, noMore, parseLog } from "../../options/common.ts";
import {
  type Destination,
  DESTINATION_FLAGS,
  parseDestination,
} from "../../options/destination.ts";
import { INSTRUMENT_FLAGS, parseInstruments } from "../../options/instrument_flags.ts";
import { messageOf } from "./message.ts";

/** The largest datagram that any path carries in one piece, in bytes (RFC 9000 section 14). */
const DATAGRAM_SIZE = 1200;

/** The flags of echo over UDP. */
const UDP_FLAGS: {
  readonly udp: Flag<boolean>;
  readonly "datagram-size": Flag<number>;
  readonly retries: Flag<number>;
} = {
  udp: toggle("send datagrams (UDP), and again what does not come back"),
  "datagram-size": needing(
    "udp",
    size([1, 65507], DATAGRAM_SIZE, "with --udp, the most of stdin in a datagram (default 1200)"),
  ),
  retries: needing(
    "udp",
    integer("N", [0, 20], 3, "with --udp, how often to send one again (default 3)"),
  ),
};

const FLAGS = {
  ...DESTINATION_FLAGS,
  "connect-timeout": seconds(10, "to resolve the name and connect; 0 = no limit (default 10)"),
  timeout: seconds(60, "to wait with no byte moving; 0 = no limit (default 60)"),
  "recv-size": size([1, 2 ** 26], 65536, "most bytes to receive at once (default 64 KiB)"),
  ...UDP_FLAGS,
  ...INSTRUMENT_FLAGS,
  ...GENERAL_FLAGS,
};

type EchoValues = Values<typeof FLAGS>;

/** Options for sending datagrams. */
export interface DatagramOptions {
  readonly remote: Endpoint;
  /** The most bytes of stdin in a datagram. */
  readonly size: number;
  /** The number of times that a datagram is sent again. */
  readonly retries: number;
}

/** Options of the echo client. */
export interface EchoClientOptions extends CommandOptions {
  /** The message. Undefined is stdin. */
  readonly message: Uint8Array | undefined;
  readonly destination: Destination;
  /** Options for datagrams. Undefined is a connection. */
  readonly datagrams: DatagramOptions | undefined;
  /** The time to connect, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number;
  /** The idle timeout, in milliseconds; 0 for no limit. */
  readonly timeout: number;
  /** The most bytes to receive at once. */
  readonly recvSize: number;
}

/** Makes the options of the echo client. */
async function parseEchoClient(
  values: EchoValues,
  positionals: string[],
  io: Io,
): Promise<EchoClientOptions> {
  const [first, ...more] = positionals;
  const message = messageOf(first, io);
  if (more.length > 0) noMore(more, await adviceForWords(positionals));
  const destination = parseDestination(values);
  return {
    log: parseLog(values),
    instruments: parseInstruments(values, { udp: values.udp }),
    message,
    destination,
    datagrams: values.udp ? parseDatagrams(values, destination, message) : undefined,
    connectTimeout: values["connect-timeout"],
    timeout: values.timeout,
    recvSize: values["recv-size"],
  };
}

/** Returns the advice for a message of several words. */
async function adviceForWords(words: readonly string[]): Promise<string> {
  const { placeAdvice } = await import("../../advice/first_word.ts");
  const { socatHint } = await import("../../advice/socat.ts");
  const [, next, third] = words;
  return placeAdvice(words) ?? socatHint(next, third) ??
    "put quotes around a message of several words";
}

function parseDatagrams(
  values: EchoValues,
  destination: Destination,
  message: Uint8Array | undefined,
): DatagramOptions {
  if ("path" in destination || values.tls) {
    throw new UsageError("Option --udp cannot be used with --tls and --unix");
  }
  if (values["recv-size"] !== FLAGS["recv-size"].fallback) {
    throw new UsageError("Option --udp cannot be used with --recv-size");
  }
  const { "datagram-size": size, retries } = values;
  if (message !== undefined && size !== DATAGRAM_SIZE) {
    throw new UsageError("Option --datagram-size is for stdin: say - in place of the message");
  }
  const { host, port } = destination;
  return { remote: { host, port }, size, retries };
}

/** The command line. */
export const ECHO_CLIENT_LINE: CommandLine<EchoClientOptions> = commandLine(FLAGS, parseEchoClient);
