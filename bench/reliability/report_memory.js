// Loaded before a server that is under load: at SIGWINCH it collects all garbage, and prints what is
// left. It needs --expose-gc.

import process from "node:process";
import { setTimeout } from "node:timers/promises";

process.on("SIGWINCH", async () => {
  // What is freed by one collection may hold what only the next one frees.
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await setTimeout(50);
  }
  console.log(`memory ${JSON.stringify(process.memoryUsage())}`);
});
