/**
 * `server.ts echo --udp`: the echo server for datagrams.
 *
 * @module
 */

import { counted } from "../../../base/plural.ts";
import { echoDatagram } from "../../../protocols/echo_udp.ts";
import { serveDatagrams } from "../../../serve/serve_datagrams.ts";
import { openAccess } from "../../options/access.ts";
import { EXIT } from "../../io/exit.ts";
import { UsageError } from "../../io/flags.ts";
import type { Session } from "../../session.ts";
import type { ServingFlags } from "../../serving/serving.ts";
import { describePlace, describeReach, placeOf, urlOf } from "../../serving/place.ts";
import { tellFailure } from "../../serving/tell.ts";
import { wantsTls } from "../../serving/tls.ts";
import type { WorkerFlags } from "../../serving/workers.ts";
import type { Signals } from "../../io/signals.ts";
import { datagramTranscript } from "../../io/transcript.ts";
import { openServerTransport } from "../../serving/shortage.ts";

/** Echoes datagrams until a signal says stop; resolves to the exit code. */
export async function echoUdpServer(
  flags: ServingFlags & WorkerFlags,
  defaultPort: number,
  session: Session,
  { signal }: Signals,
): Promise<number> {
  const { log } = session;
  if (flags.workers > 0) throw new UsageError("Option --udp goes without --workers");
  if (wantsTls(flags)) throw new UsageError("Option --udp goes without TLS");
  const place = placeOf(flags, defaultPort, false);
  if ("path" in place) throw new UsageError("Option --udp goes without --unix");
  const transport = openServerTransport(session, datagramTranscript());
  const access = openAccess(flags, log, (reload) => session.onReload(reload), 0);
  log.note(`starting up on ${describePlace(place)}`);
  const listening = transport.listenDatagram({ host: place.host, port: place.port });
  const socket = await session.untilListening(listening);
  await session.print(`${urlOf(socket.addr)}\n`);
  if (place.host === "") {
    for (const line of describeReach(socket.addr.port, "udp")) log.note(line);
  }
  const { received, answered, dropped } = await serveDatagrams(socket, echoDatagram, {
    signal,
    admission: access,
    onError: (error) => tellFailure(error, log),
  }).finished;
  const refused = access === undefined ? "" : `, ${access.refused} refused`;
  const all = counted(received, "datagram");
  log.note(`stopped after ${all}: ${answered} sent back${refused}, ${dropped} more dropped`);
  return EXIT.ok;
}
