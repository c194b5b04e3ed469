// Makes the picture of the live page in docs/pictures/, and those of all looks in a folder that is
// named: `deno run -A tests/watch/watch_pictures.ts [FOLDER]`.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

import { echo } from "../../lib/protocols/echo.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { ReplayedRecording } from "../../lib/cli/watch/replayed_recording.ts";
import { serveWatch } from "../../lib/cli/watch/server.ts";
import { launchBrowser, webpOf } from "../support/browser.ts";
import { accepted, recordingOf } from "../support/recordings.ts";
import { readAll, Scene } from "./watch_scene.ts";

const [folder] = process.argv.slice(2);
const encoder = new TextEncoder();

/** Fills the page with what there is to see; returns the number of each connection by its name. */
async function play(scene: Scene): Promise<void> {
  const port = await scene.serve(echo());
  const web = await scene.serve(async (conn) => {
    await conn.read(new Uint8Array(4096));
    const body = JSON.stringify({ sockets: ["tcp", "udp", "tls", "unix"], readable: true });
    await conn.write(encoder.encode(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
        `Set-Cookie: id=1234\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ));
    await conn.closeWrite();
    await readAll(conn);
  });
  for (let i = 0; i < 12; i++) {
    await scene.echo(port, "hello, sockets you can see\n".repeat(1 + i * i * 20));
  }
  const request =
    `GET /api HTTP/1.1\r\nHost: 127.0.0.1:${web}\r\nAccept: application/json\r\nCookie: id=1\r\n\r\n`;
  using asking = await scene.connect(web);
  await asking.write(encoder.encode(request));
  await readAll(asking);
  await scene.tls("hello over TLS\n");
  const faulty = await scene.relayTo(web, "down: reset@64");
  using broken = await scene.connect(faulty);
  await broken.write(encoder.encode(request));
  await readAll(broken);
  await scene.connect(1).catch(() => {});
  await scene.echo(port, "localhost");
}

const scene = await Scene.start("relay --to localhost:8080");
await play(scene);
const port = await scene.serve(echo());
const open = await scene.race(port);
await open.write(encoder.encode("still here\n"));
await open.read(new Uint8Array(100));
const views = () => [...scene.hub.picture.connections].map((one) => one.view());
const numberOf = (fits: (view: ReturnType<typeof views>[number]) => boolean) =>
  views().find(fits)!.number;
const relayed = numberOf(({ peer, role }) => peer !== undefined && role === "accept");
const tls = numberOf(({ tls, role }) => tls !== undefined && role === "connect");
const http = relayed - 5;
const raced = numberOf(({ name, outcome }) => name !== undefined && outcome === "open");

const browser = await launchBrowser();
const looks = {
  desktop: { viewport: { width: 1360, height: 860 }, colorScheme: "light" },
  dark: { viewport: { width: 1360, height: 860 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light" },
} as const;
if (folder !== undefined) mkdirSync(folder, { recursive: true });
const readme = {
  readme: { viewport: { width: 1180, height: 880 }, colorScheme: "light" },
} as const;
for (const [look, options] of Object.entries(folder === undefined ? readme : looks)) {
  const page = await (await browser.newContext(options)).newPage();
  page.on("pageerror", (error) => console.error(error));
  page.on("console", (message) => console.error(message.text()));
  await page.goto(scene.page.url);
  await page.getByText("live", { exact: true }).waitFor();
  await page.locator("tbody tr").first().waitFor();
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${look}-list.png`) });
  for (const [name, number] of Object.entries({ relay: relayed, tls, http, race: raced })) {
    await page.locator(`tr[data-number="${number}"]`).click();
    await page.locator(".diagram li").first().waitFor();
    if (name === "http" || name === "tls") {
      await page.locator(".diagram li button", { hasText: name === "http" ? "GET" : "TLS" }).first()
        .click();
    }
    // What the pointer is over would look chosen.
    await page.mouse.move(0, 0);
    const picture = await page.screenshot();
    if (folder !== undefined) writeFileSync(join(folder, `${look}-${name}.png`), picture);
    else if (name === "relay") {
      writeFileSync("docs/pictures/watch.webp", await webpOf(browser, picture));
    }
    await page.keyboard.press("Escape");
  }
}
if (folder !== undefined) await shootRecording(folder);
await browser.close();
open.close();
await scene[Symbol.asyncDispose]();

/** A recording, in the middle of it, on a phone and in dark. */
async function shootRecording(folder: string): Promise<void> {
  const said = [["client", "hello\n"], ["server", "hello\n"], ["client", "and again\n"]] as const;
  const recording = await recordingOf([...accepted(said, 2), ...accepted(said, 3)]);
  const server = await serveWatch(new ReplayedRecording(recording, "x.jsonl"), systemTransport);
  for (const [look, options] of Object.entries(looks)) {
    const page = await (await browser.newContext(options)).newPage();
    await page.goto(server.url);
    await page.getByLabel("Time", { exact: true }).fill("9");
    await page.locator('tr[data-number="2"]').click();
    await page.locator(".diagram li").first().waitFor();
    await page.screenshot({ path: join(folder, `${look}-recording.png`) });
  }
  await server.close();
}
