/**
 * The module that each worker of `server.ts web` runs.
 *
 * @module
 */

import type { WorkerMain } from "../../../workers/protocol.ts";
import { workerMain } from "../../serving/worker_main.ts";
import { serveSite, type Site } from "./serve_site.ts";
import { SITE_SHOWN, webTranscript } from "./transcript.ts";
import { followFile } from "./users.ts";

/** The URL of this file. */
export const WORKER_MODULE: string = import.meta.url;

const main: WorkerMain = workerMain<Site>({
  serve(listener, serving, options, { log, shortage, life }) {
    const { signal, clock, maxConnections, onFull, admission, drainTimeout, metrics } = serving;
    followFile(options.auth, log, life);
    return serveSite(listener, options, {
      log,
      shortage,
      isWorker: true,
      serving: { signal, clock, maxConnections, onFull, admission, drainTimeout, metrics },
    });
  },
  transcript: webTranscript,
  shown: SITE_SHOWN,
});
export default main;
