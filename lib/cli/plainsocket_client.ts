#!/usr/bin/env -S deno run -A
/**
 * The `plainsocket-client` command of the npm package.
 *
 * @module
 */

import process from "node:process";
import { main } from "../../client.ts";
import { processIo } from "./io/io.ts";

process.exit(await main(process.argv.slice(2), processIo, "plainsocket-"));
