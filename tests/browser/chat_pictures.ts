// Makes the picture of the chat's page in docs/pictures/, and those of all looks in a folder that is
// named: `deno run -A tests/browser/chat_pictures.ts [FOLDER]`.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Page } from "playwright-core";
import { launchBrowser, webpOf } from "../support/browser.ts";
import { Program } from "../support/peers.ts";
import { startServer } from "../support/scripts.ts";

const [folder] = process.argv.slice(2);

const SAID = [
  ["Ada", "Is this thing on?"],
  ["Grace", "It is. I see you in a terminal, and you see me in a browser."],
  ["Ada", "One room, two ports: the server speaks first on mine."],
  ["Linus", "on my phone, at the bus stop"],
  ["Ada", `A long word wraps: ${"x".repeat(60)}`],
  ["Grace", "It stays text: <b>not bold</b>"],
] as const;

await using chat = await startServer(["chat", "--ws", "--host", "127.0.0.1"]);
const [url] = await chat.program.stdout.until(/http:\S+(?=\n)/);
const browser = await launchBrowser();

async function open(name: string, options: object): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  page.on("pageerror", (error) => console.error(error));
  page.on("console", (message) => console.error(message.text()));
  await page.addInitScript(`localStorage.setItem("chat-name", "${name}")`);
  await page.goto(url);
  await page.locator("#lines p", { hasText: `You are ${name} now` }).waitFor();
  return page;
}

const desktop = { viewport: { width: 900, height: 620 } };
const pages = {
  Grace: await open("Grace", { ...desktop, colorScheme: "light" }),
  Linus: await open("Linus", {
    viewport: { width: 390, height: 844 },
    colorScheme: "dark",
    hasTouch: true,
    isMobile: true,
  }),
};
const dark = await open("Margaret", { ...desktop, colorScheme: "dark" });
await using ada = new Program(["ncat", "127.0.0.1", String(chat.port)], { pipe: true });
ada.stdin.write("/nick Ada\n");
for (const [name, text] of SAID) {
  if (name === "Ada") ada.stdin.write(`${text}\n`);
  else {
    await pages[name].locator("#text").fill(text);
    await pages[name].keyboard.press("Enter");
  }
  await dark.locator("#lines p", { hasText: text }).waitFor();
  await pages.Grace.locator("#lines p", { hasText: text }).waitFor();
}
if (folder === undefined) {
  await pages.Grace.setViewportSize({ width: 760, height: 460 });
  writeFileSync("docs/pictures/chat.webp", await webpOf(browser, await pages.Grace.screenshot()));
} else {
  mkdirSync(folder, { recursive: true });
  const shoot = (page: Page, name: string) =>
    page.screenshot({ path: join(folder, `${name}.png`) });
  await shoot(pages.Grace, "desktop-light");
  await shoot(dark, "desktop-dark");
  await shoot(pages.Linus, "phone-dark");
  await pages.Linus.locator("#who").tap();
  await shoot(pages.Linus, "phone-people");
  await pages.Linus.emulateMedia({ colorScheme: "light" });
  await pages.Linus.locator("#who").tap();
  // As where a keyboard covers the lower half.
  await pages.Linus.setViewportSize({ width: 390, height: 480 });
  await pages.Linus.locator("#text").fill("typing");
  await shoot(pages.Linus, "phone-keyboard");
  await chat.program.stop();
  await pages.Grace.locator("#state[data-state=lost]").waitFor();
  await shoot(pages.Grace, "desktop-lost");
}
await browser.close();
