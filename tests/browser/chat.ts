// The page of `chat --ws` in Chromium: a terminal, a desktop and a phone in one room.

import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { sharedBrowser } from "../support/browser.ts";
import { Program } from "../support/peers.ts";
import { startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { assertAccessible, PHONE } from "./looks.ts";

const withBrowser = sharedBrowser();

const line = (page: Page, text: string) => page.locator("#lines p", { hasText: text }).first();

async function say(page: Page, text: string): Promise<void> {
  await page.locator("#text").fill(text);
  await page.keyboard.press("Enter");
}

/** The smallest width and height of what can be touched. */
function smallestTarget(page: Page): Promise<number> {
  return page.evaluate(`Math.min(...[...document.querySelectorAll("button, input")]
    .map((one) => one.getBoundingClientRect())
    .filter(({ width }) => width > 0)
    .map(({ width, height }) => Math.min(width, height)))`) as Promise<number>;
}

test(
  "browser chat: a terminal, a desktop and a phone talk; the pages come back when the server does",
  async () => {
    const args = ["chat", "--ws", "--host", "127.0.0.1", "--history", "50"];
    await using chat = await startServer(args);
    const [url] = await chat.program.stdout.until(/http:\S+(?=\n)/);
    await withBrowser(async (context) => {
      const complaints: string[] = [];
      const open = async (name: string, context: BrowserContext) => {
        const page = await context.newPage();
        page.on("pageerror", (error) => complaints.push(error.message));
        page.on("request", (request) => {
          if (!request.url().startsWith(url)) complaints.push(request.url());
        });
        await page.addInitScript(`localStorage["chat-name"] ??= "${name}"`);
        await page.goto(url);
        await line(page, `You are ${name} now.`).waitFor();
        return page;
      };
      const desktop = await open("Grace", context);
      const touched = {
        viewport: PHONE,
        hasTouch: true,
        isMobile: true,
        colorScheme: "dark",
      } as const;
      const phone = await open("Linus", await context.browser()!.newContext(touched));
      await using nc = new Program(["ncat", "127.0.0.1", String(chat.port)], { pipe: true });
      await nc.stdout.until(/Here are also: Grace, Linus/);
      nc.stdin.write("hello <b>all</b> \x1b[31m\n");
      for (const page of [desktop, phone]) {
        // What somebody says is text, and steers nothing.
        await line(page, "guest3 hello <b>all</b> \\x1b[31m").waitFor();
        assert.equal(await page.locator("#lines b").count(), 0);
      }
      await say(desktop, "from a desktop");
      await nc.stdout.until(/^Grace: from a desktop\n/m);
      await line(phone, "from a desktop").waitFor();
      await phone.locator("#text").tap();
      await say(phone, `from a phone ${"x".repeat(300)}`);
      await nc.stdout.until(/^Linus: from a phone x+\n/m);
      await line(desktop, "from a phone").waitFor();
      // Only the phone's own line is marked there, and a long word is not wider than it.
      assert.match(
        await phone.locator("#lines .own").textContent() ?? "",
        /Linus \(you\) from a phone/,
      );
      assert.equal(await phone.locator("#lines .own").count(), 1);
      assert.equal(await phone.evaluate("document.documentElement.scrollWidth"), 390);
      assert.ok(await smallestTarget(phone) >= 44);

      // Lines of any height leave the newest one in sight.
      nc.stdin.write(`${"many long words ".repeat(20)}\n`.repeat(12) + "the last words\n");
      await line(phone, "the last words").waitFor();
      await phone.waitForFunction(`(({ scrollHeight, scrollTop, clientHeight }) =>
        scrollTop > 0 && scrollHeight - scrollTop - clientHeight < 2)(
          document.getElementById("lines"))`);
      // Each tab of a browser keeps a name of its own.
      const tab = await phone.context().newPage();
      await tab.goto(url);
      await line(tab, "There is a Linus already.").waitFor();
      await tab.locator("#who").tap();
      await tab.locator("#name").fill("two words");
      await tab.keyboard.press("Enter");
      await line(tab, "A name has 1 to 20").waitFor();
      await tab.locator("#who").tap();
      await tab.locator("#name").fill("Second");
      await tab.keyboard.press("Enter");
      await line(tab, "You are Second now.").waitFor();
      await phone.reload();
      await line(phone, "You are Linus now.").waitFor();
      // Who leaves comes back only when asked to.
      await say(tab, "/quit");
      await tab.locator("#state", { hasText: "You have left." }).waitFor();
      await line(phone, "Second has left.").waitFor();
      await tab.evaluate("dispatchEvent(new Event('online'))");
      await tab.locator("#retry", { hasText: "Come back" }).tap();
      await line(phone, "Second is here.").or(line(phone, "is Second now.")).last().waitFor();
      await tab.close();

      await phone.locator("#who").tap();
      assert.deepEqual(await phone.locator("#names li").allTextContents(), [
        "Grace",
        "guest3",
        "Linus (you)",
      ]);
      await assertAccessible(phone);
      await phone.locator("#name").fill("Linus2");
      await phone.keyboard.press("Enter");
      await nc.stdout.until(/^\* Linus is Linus2 now\.\n/m);
      await assertAccessible(desktop);
      // A name that is taken is refused, and the old one stays.
      await desktop.locator("#name").fill("LINUS2");
      await desktop.keyboard.press("Enter");
      await line(desktop, "There is a Linus2 already.").waitFor();

      await chat.program.stop();
      await line(desktop, "The server stops. Goodbye!").waitFor();
      await desktop.locator("#state[data-state=lost]").waitFor();
      await desktop.locator("#text").fill("not lost");
      await desktop.keyboard.press("Enter");
      const { port } = new URL(url);
      await using again = await startServer([...args, "--ws-port", port]);
      await phone.locator("#state[data-state=open]").waitFor();
      await desktop.locator("#state[data-state=open]").waitFor();
      // It has said up to where it had heard all: the new server does not have that.
      await line(desktop, "Some lines are missing here.").waitFor();
      await phone.locator("#names", { hasText: "Linus2 (you)" }).waitFor({ state: "attached" });
      // What could not be sent is still in the field.
      assert.equal(await desktop.locator("#text").inputValue(), "not lost");
      await desktop.locator("#send").click();
      await line(phone, "not lost").waitFor();
      assert.deepEqual(complaints, []);
      await phone.close();
      await again.program.stderr.until(/Linus2 has left/);
    });
  },
  ["chromium", "ncat"],
);
