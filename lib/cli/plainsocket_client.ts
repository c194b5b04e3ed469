#!/usr/bin/env -S deno run -A
/**
 * The `plainsocket-client` command of the npm package.
 *
 * @module
 */

import { calledAs } from "./program.ts";

calledAs("plainsocket-");
await import("../../client.ts");
