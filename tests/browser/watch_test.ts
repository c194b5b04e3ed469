// The live page in Chromium: what real sockets do is seen on it.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { systemTransport } from "../../lib/net/system.deno.ts";
import {
  decodeFrames,
  encodeFrame,
  type Framing,
  lengthPrefix,
  lines,
} from "../../lib/frames/mod.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { ReplayedRecording } from "../../lib/cli/watch/replayed_recording.ts";
import { serveWatch } from "../../lib/cli/watch/server.ts";
import { complaintsOf, sharedBrowser } from "../support/browser.ts";
import { readTable } from "../support/doc_table.ts";
import { accepted, recordingOf } from "../support/recordings.ts";
import { test } from "../support/runner.deno.ts";
import { readAll, Scene } from "../watch/watch_scene.ts";
import {
  assertAccessible,
  type Extent,
  type Look,
  openTab,
  PHONE,
  setLook,
  violationsOn,
} from "./looks.ts";

const encoder = new TextEncoder();

const withBrowser = sharedBrowser();

/** Opens a page of a browser for as long as `visit` takes. It must find nothing wrong. */
async function visiting(
  url: string,
  visit: (page: Page) => Promise<void>,
  look?: Look,
): Promise<void> {
  await withBrowser(async (context) => {
    const page = await openTab(context, look);
    const complaints = complaintsOf(page);
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(request.url());
    });
    await page.goto(url);
    await visit(page);
    assert.deepEqual(complaints, []);
  });
}

/** Opens the page of a scene. */
async function seeing(
  play: (scene: Scene) => Promise<void>,
  see: (page: Page, scene: Scene) => Promise<void>,
  look?: Look,
): Promise<void> {
  await using scene = await Scene.start("a test");
  await play(scene);
  await visiting(scene.page.url, async (page) => await see(page, scene), look);
}

const row = (page: Page, number: number) => page.locator(`tr[data-number="${number}"]`);

/** Opens a connection, and returns its steps as sentences, without times. */
async function stepsOf(page: Page, number: number): Promise<string[]> {
  await row(page, number).click();
  await page.locator(".diagram li button").first().waitFor();
  const words = await page.locator(".diagram .words").allTextContents();
  return words.map((text) => text.replace(/^[\d.]+ (ms|s): /, ""));
}

/** Opens a connection, and returns why it ended. */
async function whyOf(page: Page, number: number): Promise<string> {
  await row(page, number).click();
  await page.locator(".diagram li button").first().waitFor();
  return await page.locator(".why").textContent() ?? "";
}

test("browser watch: an echo with a half-close is seen, step by step", async () => {
  await seeing(async (scene) => await scene.echo(await scene.serve(echo())), async (page) => {
    await row(page, 1).waitFor();
    assert.match(await row(page, 1).textContent() ?? "", /→ 127\.0\.0\.1:\d+CLOSED5 B5 B/);
    const steps = await stepsOf(page, 1);
    assert.deepEqual(steps.slice(2), [
      "This side sends 5 B: hello",
      "This side ends its stream: FIN, a half-close",
      "This side receives 5 B: hello",
      "The peer ends its stream: FIN",
      "This side closes the socket",
    ]);
    assert.match(await page.locator(".why").textContent() ?? "", /Both streams ended in order/);
    // A step that is chosen leads to what each runtime does then, wherever the pointer goes.
    await page.locator(".diagram li button", { hasText: "FIN, a half-close" }).click();
    await page.locator(".facts").hover();
    const opened = page.context().waitForEvent("page");
    await page.locator(".teach a").click();
    const semantics = await opened;
    const linked = semantics.locator("tr:target");
    assert.match(await linked.textContent() ?? "", /we half-closed; read\s+goes on/);
    assert.deepEqual((await violationsOn(semantics)).map(({ id }) => id), []);
  });
}, ["chromium"]);

test("browser watch: what happens while the page is open appears on it", async () => {
  await using scene = await Scene.start("a test");
  await visiting(scene.page.url, async (page) => {
    await page.getByText("No connection yet").waitFor();
    const port = await scene.serve(echo());
    using conn = await scene.connect(port);
    await row(page, 1).getByText("● open").waitFor();
    await row(page, 1).click();
    await conn.write(encoder.encode("ping"));
    await page.locator(".diagram .words", { hasText: "This side sends 4 B: ping" }).waitFor();
    conn.close();
    await row(page, 1).getByText("○ closed by us").waitFor();
  });
}, ["chromium"]);

test("browser watch: while nothing happens nothing on the page is drawn again", async () => {
  await seeing(async (scene) => await scene.echo(await scene.serve(echo())), async (page) => {
    await page.clock.install();
    await page.reload();
    await row(page, 1).waitFor();
    await page.clock.runFor(1000);
    await stepsOf(page, 1);
    // What happened leaves the plots after a minute.
    await page.clock.fastForward(70_000);
    await page.clock.runFor(1000);
    await page.evaluate(`
      changes = [];
      new MutationObserver((all) => changes.push(...all.map(({ target, attributeName }) =>
        \`\${target.nodeName} \${target.className} \${attributeName}\`))).observe(document, {
        subtree: true, childList: true, characterData: true, attributes: true,
      });`);
    await page.clock.runFor(3000);
    assert.deepEqual(await page.evaluate("changes"), []);
    assert.equal(await page.locator(".diagram").isVisible(), true);
  });
}, ["chromium"]);

test(
  "browser watch: a reset by a fault of a relay is red, marked, and in four columns",
  async () => {
    await seeing(async (scene) => {
      const port = await scene.relayTo(await scene.serve(echo()), "down: reset@3");
      using conn = await scene.connect(port);
      await conn.write(encoder.encode("hello"));
      await readAll(conn);
    }, async (page, scene) => {
      const views = [...scene.hub.picture.connections].map((one) => one.view());
      const { number } = views.find(({ role, peer }) => role === "accept" && peer !== undefined)!;
      const steps = await stepsOf(page, number);
      assert.deepEqual(await page.locator(".column strong").allTextContents(), [
        "client",
        "relay",
        "relay",
        "target",
      ]);
      assert.ok(steps.some((step) => /^A fault on purpose: reset/.test(step)), steps.join("\n"));
      await page.locator(".arrow.fault", { hasText: "⚡" }).waitFor();
      await row(page, number).getByText("⚡").waitFor();
    });
  },
  ["chromium"],
);

test(
  "browser watch: who reset and what may be lost is said, a TLS handshake has its protocol and the certificate, and a lost race is drawn as one",
  async () => {
    await seeing(async (scene) => {
      const port = await scene.serve(async (conn) => {
        await conn.read(new Uint8Array(10));
        conn.reset();
      });
      using conn = await scene.connect(port);
      await conn.write(encoder.encode("hello"));
      await readAll(conn);
      await scene.tls();
      (await scene.race(await scene.serve(echo()))).close();
    }, async (page, scene) => {
      const views = [...scene.hub.picture.connections].map((one) => one.view());

      const reset = views.find(({ outcome }) => outcome === "reset")!;
      assert.match(await whyOf(page, reset.number), /reset the connection \(RST/);
      await page.locator(".arrow.reset", { hasText: "✕ RST" }).waitFor();

      const secure = views.find(({ role, tls }) => role === "connect" && tls !== undefined)!;
      const steps = await stepsOf(page, secure.number);
      assert.ok(
        steps.some((step) =>
          /^TLS handshake done: TLSv1\.3 · http\/1\.1, certificate of CN=localhost/.test(step)
        ),
        steps.join("\n"),
      );
      await page.locator(".diagram button", { hasText: "TLSv1.3" }).click();
      await page.locator(".message dt", { hasText: "fingerprint256" }).waitFor();

      const won = views.find(({ name, opened }) => name !== undefined && opened !== undefined)!;
      assert.match(
        (await stepsOf(page, won.number))[0],
        /^two\.example:\d+ resolved to 127\.0\.0\.9/,
      );
      const lanes = await page.locator(".race li").allTextContents();
      assert.match(lanes[0], /127\.0\.0\.9:\d+◌ lost the race after/);
      assert.match(lanes[1], /127\.0\.0\.1:\d+✓ connected after/);
    });
  },
  ["chromium"],
);

test(
  "browser watch: a message is shown as text, hex, JSON and HTTP, searched, and copied as curl",
  async () => {
    const request =
      'POST /x HTTP/1.1\r\nHost: a.example\r\nX-Odd: it\'s\r\nContent-Length: 8\r\n\r\n{"a": 1}';
    await seeing(
      async (scene) => await scene.echo(await scene.serve(echo()), request),
      async (page) => {
        await row(page, 1).click();
        await page.locator(".diagram button", { hasText: "POST" }).first().click();
        const content = page.locator(".message .content");
        assert.match(await content.textContent() ?? "", /^POST \/x/);
        await page.getByRole("button", { name: "Hex", exact: true }).click();
        assert.match(await content.textContent() ?? "", /^0000 {2}50 4f 53 54 20 2f 78 20 {2}48/);
        await page.getByLabel("Search in the bytes").fill("0x0d0a0d0a");
        await page.getByText("1 place").waitFor();
        assert.equal(await content.locator("mark").count(), 4);
        await page.getByRole("button", { name: "JSON" }).click();
        assert.equal(await content.textContent(), '{\n  "a": 1\n}');
        await page.getByRole("button", { name: "HTTP", exact: true }).click();
        assert.match(await content.textContent() ?? "", /X-Oddit's/);
        await page.getByRole("button", { name: "Frames" }).click();
        assert.match(await content.textContent() ?? "", /1 · 16 BPOST \/x HTTP\/1\.1/);
        await page.getByLabel("Framing").selectOption("u32");
        assert.match(await content.textContent() ?? "", /1 · [\d.]+ GiB · \d+ B so far/);
        const clipboard = ["clipboard-read", "clipboard-write"];
        await page.context().grantPermissions(clipboard, { origin: new URL(page.url()).origin });
        await page.getByRole("button", { name: "Copy as curl" }).click();
        await page.getByText("copied as a curl command").waitFor();
        assert.equal(
          await page.evaluate("navigator.clipboard.readText()"),
          `curl -X 'POST' -H 'X-Odd: it'\\''s' --data-binary '{"a": 1}' 'http://a.example/x'`,
        );
      },
    );
  },
  ["chromium"],
);

test("browser watch: what a peer sends is text, and never HTML", async () => {
  const evil = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202e";
  await seeing(async (scene) => await scene.echo(await scene.serve(echo()), evil), async (page) => {
    await row(page, 1).click();
    await page.locator(".diagram button", { hasText: "<img" }).first().click();
    assert.match(await page.locator(".message .content").textContent() ?? "", /^<img src=x/);
    assert.equal(await page.locator("#detail img, #detail script").count(), 0);
    assert.doesNotMatch(await page.locator("body").innerText(), /\u202e/);
  });
}, ["chromium"]);

test("browser watch: the keyboard leads everywhere, and the focus is seen", async () => {
  await seeing(async (scene) => {
    const port = await scene.serve(echo());
    for (let i = 0; i < 3; i++) await scene.echo(port);
  }, async (page) => {
    await row(page, 6).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    const focused = page.locator(":focus");
    assert.equal(await focused.getAttribute("data-number"), "5");
    assert.equal(
      await focused.evaluate((row) =>
        row.ownerDocument.defaultView!.getComputedStyle(row).outlineStyle
      ),
      "solid",
    );
    await page.keyboard.press("Enter");
    await page.locator("#detail h2:focus").waitFor();
    await page.locator(".diagram li button").first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.locator(".diagram li:nth-child(1) button:focus").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.locator(".diagram li:nth-child(2) button:focus").waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(":focus").getAttribute("data-number"), "5");
    await page.keyboard.press("/");
    await page.keyboard.type("#2");
    await page.getByText("1 of 6").waitFor();
    await page.keyboard.press("Enter");
    assert.equal(await page.locator(":focus").getAttribute("data-number"), "2");
  });
}, ["chromium"]);

test("browser watch: the row that is marked is the connection that is shown", async () => {
  await seeing(async (scene) => {
    const port = await scene.serve(echo());
    for (let i = 0; i < 3; i++) await scene.echo(port);
  }, async (page) => {
    const shows = async (number: number) => {
      await page.locator("#detail h2", { hasText: `#${number} ` }).waitFor();
      await page.locator(`tr[aria-selected="true"][data-number="${number}"]`).waitFor();
      assert.equal(await page.locator('tr[aria-selected="true"]').count(), 1);
    };
    await row(page, 5).click();
    await shows(5);
    await page.keyboard.press("ArrowDown");
    await shows(4);
    await page.getByLabel("Filter connections").fill("#1");
    await page.getByText("1 of 6").waitFor();
    await page.getByLabel("Filter connections").fill("");
    await shows(4);
    await page.reload();
    await shows(4);
  });
}, ["chromium"]);

test(
  "browser watch: on a phone the cursor goes to the connection, in whose place the list was; beside one the list has room for an address with its port",
  async () => {
    await seeing(async (scene) => await scene.echo(await scene.serve(echo())), async (page) => {
      await row(page, 1).click();
      await page.locator("#detail h2:focus").waitFor();
      const cell = row(page, 1).locator(".peer");
      for (const width of [1400, 1280, 1240, 1100, 1001]) {
        await page.setViewportSize({ width, height: 700 });
        const [needs, has] = await cell.evaluate((e) => [e.scrollWidth, e.clientWidth]);
        assert.ok(has > 0 && needs <= has, `${needs} of ${has} at ${width}`);
      }
    }, { viewport: PHONE });
  },
  ["chromium"],
);

test("browser watch: the list is filtered and sorted, and says when nothing is left", async () => {
  await seeing(async (scene) => {
    const port = await scene.serve(echo());
    for (const text of ["a", "aaa", "aa"]) await scene.echo(port, text);
    await scene.connect(1).catch(() => {});
    for (let i = 0; i < 2; i++) await scene.connect(1, "nowhere.invalid").catch(() => {});
  }, async (page) => {
    await page.getByLabel("Filter connections").fill("econnrefused");
    await page.getByText("1 of 7").waitFor();
    await page.getByLabel("Filter connections").fill("nothing like that");
    await page.getByText("No connection matches the filter.").waitFor();
    await page.getByText("▲ Cannot resolve nowhere.invalid", { exact: false }).waitFor();
    assert.match(await page.locator("#problems").innerText(), /^[^\n]+ \(2 times\)$/);
    await page.getByLabel("Filter connections").fill("→ closed by");
    await page.getByRole("button", { name: "In", exact: true }).click();
    assert.deepEqual(await page.locator("tbody td:nth-child(4)").allTextContents(), [
      "3 B",
      "2 B",
      "1 B",
    ]);
    await page.getByRole("button", { name: "In", exact: true }).click();
    assert.deepEqual(await page.locator("tbody td:nth-child(4)").allTextContents(), [
      "1 B",
      "2 B",
      "3 B",
    ]);
  });
}, ["chromium"]);

test(
  "browser watch: a burst of 10,000 events leaves 200 rows in the page, and bounded memory",
  async () => {
    await using scene = await Scene.start("a test");
    const { sink, picture } = scene.hub;
    const addr = { transport: "tcp", host: "127.0.0.1", port: 80 } as const;
    await visiting(scene.page.url, async (page) => {
      await page.getByText("live", { exact: true }).waitFor();
      for (let socket = 1; socket <= 2500; socket++) {
        const time = performance.now();
        sink({
          time,
          type: "accept",
          socket,
          listener: 1,
          localAddr: addr,
          remoteAddr: { ...addr, port: socket },
        });
        sink({ time, type: "recv", socket, data: new Uint8Array(2000) });
        sink({ time, type: "send", socket, data: new Uint8Array(2000) });
        sink({ time, type: "close", socket, bytesRead: 2000, bytesWritten: 2000, reset: false });
      }
      await page.getByText("2,000 connections, 500 older ones left out").waitFor();
      assert.equal(await page.locator("tbody tr").count(), 200);
      assert.ok(await page.getByRole("button", { name: "Previous" }).isDisabled());
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByText("201 to 400 of 2,000").waitFor();
      assert.equal(await page.locator("tbody tr").count(), 200);
      const kept = [...picture.connections].reduce(
        (sum, { history }) => sum + history.characters,
        0,
      );
      assert.ok(kept <= 32 * 1024 * 1024, `${kept}`);
    });
  },
  ["chromium"],
);

test("browser watch: of one connection with 10,000 events 500 steps are in the page", async () => {
  await using scene = await Scene.start("a test");
  const { sink } = scene.hub;
  const addr = { transport: "tcp", host: "127.0.0.1", port: 80 } as const;
  sink({
    time: performance.now(),
    type: "accept",
    socket: 2,
    listener: 1,
    localAddr: addr,
    remoteAddr: addr,
  });
  for (let i = 0; i < 10_000; i++) {
    sink({ time: performance.now(), type: "recv", socket: 2, data: encoder.encode(`line ${i}`) });
  }
  await visiting(scene.page.url, async (page) => {
    await row(page, 1).click();
    await page.locator(".diagram .words", { hasText: /line 9999$/ }).waitFor();
    assert.equal(await page.locator(".diagram li").count(), 500);
    await page.getByText("9,001 events in between are not kept").waitFor();
    await page.getByRole("button", { name: "Show 500 earlier steps" }).click();
    await page.locator(".diagram .words", { hasText: /line 0$/ }).waitFor();
    assert.equal(await page.locator(".diagram li").count(), 500);
  });
}, ["chromium"]);

test("browser watch: a recording is scrubbed through time", async () => {
  const recording = await recordingOf([
    ...accepted([["client", "hello"], ["server", "hello"]], 2),
    ...accepted([["client", "later"]], 3),
  ]);
  const server = await serveWatch(new ReplayedRecording(recording, "x.jsonl"), systemTransport);
  await visiting(server.url, async (page) => {
    await row(page, 2).waitFor();
    await page.getByLabel("Time", { exact: true }).fill("2");
    await row(page, 2).waitFor({ state: "detached" });
    await row(page, 1).getByText("ESTAB").waitFor();
    assert.equal((await stepsOf(page, 1)).length, 2);
    await page.getByLabel("Time", { exact: true }).fill("99");
    await row(page, 2).click();
    await page.locator(".diagram li button").first().waitFor();
    await page.getByLabel("Time", { exact: true }).fill("2");
    await page.locator(".why", { hasText: "no connection of this number at this moment" })
      .waitFor();
    assert.equal(await page.locator(".diagram").isVisible(), false);
    await page.getByLabel("Time", { exact: true }).fill("99");
    await page.locator(".diagram li button").first().waitFor();
  });
  await server.close();
}, ["chromium"]);

test(
  "browser watch: of a connection that is not kept the page says so, and draws nothing",
  async () => {
    await using scene = await Scene.start("a test");
    await scene.echo(await scene.serve(echo()));
    // That a response is 404 is in the console.
    await withBrowser(async (context) => {
      const page = await context.newPage();
      await page.goto(`${scene.page.url}#99`);
      await page.locator(".why", { hasText: "There is no connection 99" }).waitFor();
      assert.equal(await page.locator(".diagram, .save").first().isVisible(), false);
      await row(page, 1).click();
      await page.locator(".diagram li button").first().waitFor();
      assert.equal(await page.locator(".save").isVisible(), true);
    });
  },
  ["chromium"],
);

test(
  "browser watch: a page that gets no stream does not say that the program has ended",
  async () => {
    await using scene = await Scene.start("a test");
    // That a response is 503 is in the console.
    await withBrowser(async (context) => {
      const page = await context.newPage();
      await page.route("**/events*", (route) => route.fulfill({ status: 503, body: "So many." }));
      await page.goto(scene.page.url);
      await page.getByText("too many pages are open").waitFor();
    });
  },
  ["chromium"],
);

test("browser watch: when the program ends, the page says so and keeps what it has", async () => {
  const scene = await Scene.start("a test");
  await scene.echo(await scene.serve(echo()));
  await withBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(scene.page.url);
    await row(page, 1).waitFor();
    await scene[Symbol.asyncDispose]();
    await page.getByText("the program has ended").waitFor();
    assert.equal(await page.locator("tbody tr").count(), 2);
  });
}, ["chromium"]);

const DESKTOP = { width: 1280, height: 720 };

/** Each differs from the one before in what is named. */
const LOOKS: readonly Look[] = [
  { colorScheme: "light", viewport: DESKTOP },
  { colorScheme: "dark" },
  { colorScheme: "light", viewport: PHONE },
];

test(
  "browser watch: axe finds nothing serious, in light, in dark and on a phone, whose width is enough",
  async () => {
    await seeing(async (scene) => {
      await scene.tls();
      const port = await scene.relayTo(await scene.serve(echo()), "down: reset@3");
      using conn = await scene.connect(port);
      await conn.write(encoder.encode("hello"));
      await readAll(conn);
      (await scene.race(await scene.serve(echo()))).close();
    }, async (page, scene) => {
      const views = [...scene.hub.picture.connections].map((one) => one.view());
      const shown = [
        views.find(({ tls }) => tls !== undefined)!,
        views.find(({ peer }) => peer !== undefined)!,
        views.find(({ name }) => name !== undefined)!,
      ];
      for (const look of LOOKS) {
        await setLook(page, look);
        // What is dark has the elements that were there in light.
        const rules = { coloursOnly: look.colorScheme === "dark" };
        await row(page, 1).waitFor();
        await assertFits(page, rules);
        for (const [i, { number }] of shown.entries()) {
          await stepsOf(page, number);
          await page.locator(".diagram li button").last().click();
          // Beside the others the list is as it was beside the first.
          await assertFits(page, i === 0 ? rules : { ...rules, part: "#detail" });
          await page.keyboard.press("Escape");
        }
      }
    });
  },
  ["chromium"],
);

/** Fails for a page that is not accessible, or wider than its window. */
async function assertFits(page: Page, extent: Extent): Promise<void> {
  await assertAccessible(page, extent);
  const [width, inner] = await page.evaluate(
    "[document.documentElement.scrollWidth, innerWidth]",
  ) as number[];
  assert.ok(width <= inner, `${width} > ${inner}`);
}

test("watch: what the page says of each step stands in the contract", async () => {
  const module = new URL("../../lib/cli/watch/page/teach.js", import.meta.url).href;
  const { LESSONS, plainRule } = await import(module) as {
    LESSONS: Record<string, { rule: string }>;
    plainRule(rule: string): string;
  };
  const contract = readFileSync("lib/net/transport.ts", "utf8").replaceAll(/\n\s*\*\s+/g, " ");
  for (const [step, { rule }] of Object.entries(LESSONS)) {
    assert.ok(contract.includes(rule), `${step}: ${rule}`);
    // It stands alone on the page: nothing in it points to what is not there.
    assert.doesNotMatch(plainRule(rule), /^(It|They|This)\b|\b(their|p|p\.length)\b|[{}`]/, step);
  }
});

test("watch: the page tells frames apart as the library does, also where they are not whole", async () => {
  const module = new URL("../../lib/cli/watch/page/frames.js", import.meta.url).href;
  const { framesOf, guessFraming } = await import(module) as {
    framesOf(stream: Uint8Array, framing: string): { from: number; to: number; whole: boolean }[];
    guessFraming(stream: Uint8Array): string;
  };
  const messages = ["hello", "x".repeat(200), "é", "", "last"].map((text) => encoder.encode(text));
  const framings: [string, Framing][] = [
    ["lines", lines()],
    ["u8", lengthPrefix("u8")],
    ["u16", lengthPrefix("u16")],
    ["u16le", lengthPrefix("u16", { endian: "little" })],
    ["u32", lengthPrefix("u32")],
    ["u32le", lengthPrefix("u32", { endian: "little" })],
    ["varint", lengthPrefix("varint")],
  ];
  for (const [name, framing] of framings) {
    const stream = Buffer.concat(messages.map((message) => encodeFrame(framing, message)));
    for (let end = 0; end <= stream.length; end++) {
      const part = stream.subarray(0, end);
      const own = framesOf(part, name).filter(({ whole }) => whole)
        .map(({ from, to }) => Buffer.from(part.subarray(from, to)));
      const { frames } = decodeFrames(framing, part);
      assert.deepEqual(own, frames.map((frame) => Buffer.from(frame)), `${name} ${end}`);
    }
    const first = encodeFrame(framing, messages[0]);
    if (!name.endsWith("le")) {
      assert.equal(guessFraming(first), name === "u8" ? "varint" : name);
    }
  }
});

test("watch: the page shows the frames of WebSocket, without their masks", async () => {
  const module = new URL("../../lib/cli/watch/page/frames.js", import.meta.url).href;
  const { framesOf, guessFraming } = await import(module) as {
    framesOf(stream: Uint8Array, framing: string): { name: string; bytes?: Uint8Array }[];
    guessFraming(stream: Uint8Array): string;
  };
  const head = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n";
  const stream = Buffer.concat([
    encoder.encode(head),
    Uint8Array.of(0x01, 0x82, 1, 2, 3, 4, 0x68 ^ 1, 0x69 ^ 2),
    Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8),
    Uint8Array.of(0x82, 126, 1, 0),
  ]);
  assert.equal(guessFraming(stream), "websocket");
  assert.deepEqual(framesOf(stream, "websocket").map(({ name }) => name), [
    "handshake",
    "text, more follows",
    "close 1000",
    "binary",
  ]);
  assert.equal(Buffer.from(framesOf(stream, "websocket")[1].bytes!).toString(), "hi");
  // However it is cut, it is shown.
  for (let end = 0; end <= stream.length; end++) framesOf(stream.subarray(0, end), "websocket");
});

test("watch: the page of semantics has the table of docs/semantics.md, and steps lead to its rows", async () => {
  const module = new URL("../../lib/cli/watch/page/teach.js", import.meta.url).href;
  const { LESSONS } = await import(module) as { LESSONS: Record<string, { anchor?: string }> };
  const page = readFileSync("lib/cli/watch/page/semantics.html", "utf8");
  const text = page.replaceAll(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll(/\s+/g, "");
  for (const [situation, cells] of readTable("docs/semantics.md")) {
    for (const cell of [situation, ...cells.values()]) {
      const plain = cell.replaceAll("`", "").replaceAll(/\s+/g, "");
      assert.ok(text.includes(plain), `run scripts/semantics_page.ts: ${cell}`);
    }
  }
  for (const [step, { anchor }] of Object.entries(LESSONS)) {
    if (anchor !== undefined) assert.ok(page.includes(`id="${anchor}"`), `${step}: ${anchor}`);
  }
});
