/**
 * `server.ts echo --udp`: the echo server for datagrams.
 *
 * @module
 */

import { counted } from "../../../base/counted.ts";
import { echoDatagram } from "../../../protocols/echo.ts";
import { serveDatagrams } from "../../../serve/serve_datagrams.ts";
import { EXIT } from "../../io/exit.ts";
import { describeListenAddress } from "../../options/listen_address.ts";
import { openAccess } from "../../serving/access_reload.ts";
import { describeReach, urlOf } from "../../serving/own_addresses.ts";
import { logFailure } from "../../serving/server_log.ts";
import type { Session } from "../../session.ts";
import type { Signals } from "../../io/signals.ts";
import { datagramTranscript } from "../../io/transcript.ts";
import { openServerTransport } from "../../serving/resource_shortage.ts";
import type { EchoDatagramOptions } from "./server_options.ts";

/** Echoes datagrams until a signal says stop; resolves to the exit code. */
export async function echoUdpServer(
  { listenAddress, access: who }: EchoDatagramOptions,
  session: Session,
  { signal }: Signals,
): Promise<number> {
  const { log } = session;
  const transport = openServerTransport(session, datagramTranscript());
  const access = openAccess(who, log, (reload) => session.onReload(reload));
  log.note(`starting up on ${describeListenAddress(listenAddress)}`);
  const listening = transport.listenDatagram({
    host: listenAddress.host,
    port: listenAddress.port,
  });
  const socket = await session.untilListening(listening);
  await session.print(`${urlOf(socket.addr)}\n`);
  if (listenAddress.host === "") {
    for (const line of describeReach(socket.addr.port, "udp")) log.note(line);
  }
  const { received, answered, dropped } = await serveDatagrams(socket, echoDatagram, {
    signal,
    admission: access,
    onError: (error) => logFailure(error, log),
  }).finished;
  const refused = access === undefined ? "" : `, ${access.refused} refused`;
  const all = counted(received, "datagram");
  log.note(`stopped after ${all}: ${answered} sent back${refused}, ${dropped} more dropped`);
  return EXIT.ok;
}
