// `server.ts wstest` tests Chromium's WebSocket.

import assert from "node:assert/strict";
import { sharedBrowser } from "../support/browser.ts";
import { test } from "../support/runner.deno.ts";
import { startServer } from "../support/scripts.ts";

const withBrowser = sharedBrowser();

/** Sends back what comes, on a connection for each case, some at a time. */
const ECHO_ALL = `(async () => {
  const count = Number(await (await fetch("/count")).text());
  const numbers = Array.from({ length: count }, (_, i) => i + 1).values();
  const echo = (n) =>
    new Promise((resolve) => {
      const ws = new WebSocket("ws://" + location.host + "/?case=" + n);
      ws.binaryType = "arraybuffer";
      ws.onmessage = ({ data }) => ws.send(data);
      ws.onclose = resolve;
    });
  const work = async () => {
    for (const n of numbers) await echo(n);
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return await (await fetch("/report.json")).text();
})()`;

/** What is read of a report. */
interface Report {
  readonly sections: readonly { readonly cases: readonly { id: string; verdict: string }[] }[];
}

test(
  "browser wstest: of Chromium fails only that it answers with close codes that are not valid",
  async () => {
    const only = ["1", "3", "4", "6", "8"].flatMap((section) => ["--only", section]);
    await using server = await startServer(["wstest", "-q", "--timeout", "60", ...only]);
    assert.match(server.url, /^ws:.*\/$/);
    await withBrowser(async (context) => {
      const page = await context.newPage();
      await page.goto(server.url.replace("ws:", "http:"));
      const report: Report = JSON.parse(await page.evaluate(ECHO_ALL) as string);
      const cases = report.sections.flatMap(({ cases }) => cases);
      assert.equal(cases.length, 128);
      assert.deepEqual(cases.filter(({ verdict }) => verdict === "skipped"), []);
      const failed = cases.filter(({ verdict }) => verdict === "fail").map(({ id }) => id);
      assert.deepEqual(failed.filter((id) => !id.startsWith("6.4-")), []);
    });
  },
  ["chromium"],
);
