#!/usr/bin/env -S deno run -A
/**
 * The `plainsocket-server` command of the npm package.
 *
 * @module
 */

import process from "node:process";
import { main } from "../../server.ts";
import { serverIo } from "./io/io.ts";

process.exit(await main(process.argv.slice(2), serverIo(), "plainsocket-"));
