// What each worker of three_ways.ts runs: the same loop, on the address that all of them share.

import { echo } from "../../lib/protocols/mod.ts";
import { serve } from "../../mod.ts";
import type { WorkerMain } from "../../lib/workers/mod.ts";

/** Where this file is. */
export const ECHO_WORKER: string = import.meta.url;

const main: WorkerMain = async ({ listen }) => serve(await listen(), echo());
export default main;
