// Spans of OpenTelemetry, by its own SDK.

import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { trace } from "@opentelemetry/api";
import {
  NodeTracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { requestHttp, serveHttp, serveLight, traced, tracedLight } from "../../lib/http/mod.ts";
import { tcpAddr } from "../../lib/base/addr.ts";
import { requestAttributes } from "../../lib/http/fetch/span_attributes.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { startServerProcess, startWeb } from "../support/scripts.ts";
import { lightRequest, makeSite } from "../support/site_helpers.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** Runs `fn` while the SDK is registered; the spans that have ended are in `spans`. */
async function withSdk(fn: (spans: readonly ReadableSpan[]) => Promise<void>): Promise<void> {
  const spans: ReadableSpan[] = [];
  // The SDK's exporter in memory leaves timers.
  const processor: SpanProcessor = {
    onStart: () => {},
    onEnd: (span) => void spans.push(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const provider = new NodeTracerProvider({ spanProcessors: [processor] });
  provider.register();
  try {
    await fn(spans);
  } finally {
    await provider.shutdown();
    disableAll();
  }
}

/** As if there were no SDK: the API has no function that does so for all. */
function disableAll(): void {
  delete (globalThis as Record<symbol, unknown>)[Symbol.for("opentelemetry.js.api.1")];
}

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

test("traced: a request has a span as the conventions say, whose parent is in traceparent", () =>
  withSdk(async (spans) => {
    const listener = await systemTransport.listen({ host: "127.0.0.1" });
    const handler = traced(async (request) => {
      await Promise.resolve();
      return new Response(`${request.method} ${trace.getActiveSpan()?.spanContext().spanId}`);
    });
    await using _server = serveHttp(listener, handler);
    const { port } = listener.addr;
    const response = await fetch(`http://127.0.0.1:${port}/a/b?c=d&sig=secret`, {
      headers: { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`, "User-Agent": "one" },
    });
    const text = await response.text();
    const [span] = spans;
    assert.equal(spans.length, 1);
    const { name, kind, attributes, parentSpanContext, status } = span;
    assert.equal(text, `GET ${span.spanContext().spanId}`, "It is active in the handler");
    assert.equal(span.spanContext().traceId, TRACE_ID);
    assert.equal(parentSpanContext?.spanId, "b7ad6b7169203331");
    assert.deepEqual([name, kind, status], ["GET", 1, { code: 0 }]);
    const { "network.peer.port": peerPort, ...rest } = attributes;
    assert.ok(Number(peerPort) > 0);
    assert.deepEqual(rest, {
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "url.scheme": "http",
      "url.path": "/a/b",
      "url.query": "c=d&sig=REDACTED",
      "server.address": "127.0.0.1",
      "server.port": port,
      "client.address": "127.0.0.1",
      "network.peer.address": "127.0.0.1",
      "network.protocol.version": "1.1",
      "user_agent.original": "one",
    });
  }));

test("traced: without an SDK, the handler is called as it is", () => {
  const response = new Response();
  // Not awaited: it is the very same.
  assert.equal(traced(() => response)(new Request("http://a/"), undefined!), response);
});

test("traced: what a handler throws, a status of 500 and a method that nobody knows are told", () =>
  withSdk(async (spans) => {
    const listener = await systemTransport.listen({ host: "127.0.0.1" });
    const handler = tracedLight(({ target, method }) => {
      if (target === "/throws") throw new RangeError("too far");
      return { status: method === "HEAD" ? 404 : 503 };
    });
    await using _server = serveLight(listener, handler, { onError: () => {} });
    const url = `http://127.0.0.1:${listener.addr.port}`;
    for (const [path, method] of [["/throws", "GET"], ["/", "BREW"], ["/", "HEAD"]]) {
      const response = await requestHttp(systemTransport, { url: new URL(path, url), method });
      await response.bytes();
    }
    assert.deepEqual(
      spans.map(({ name, status, attributes, events }) => [
        name,
        status,
        attributes["http.response.status_code"],
        attributes["error.type"],
        attributes["http.request.method"],
        attributes["http.request.method_original"],
        events.length,
      ]),
      [
        ["GET", { code: 2, message: "too far" }, 500, "RangeError", "GET", undefined, 1],
        ["HTTP", { code: 2 }, 503, "503", "_OTHER", "BREW", 0],
        ["HEAD", { code: 0 }, 404, undefined, "HEAD", undefined, 0],
      ],
    );
  }));

test("traced: behind a proxy that says who the client is, the peer is the proxy", () => {
  const [client, via] = [tcpAddr("192.0.2.1", 1), tcpAddr("192.0.2.2", 2)];
  const request = { ...lightRequest({ target: "http://a/" }), remoteAddr: { ...client, via } };
  const { attributes } = requestAttributes({ ...request, host: "[::1]:81" });
  assert.deepEqual(
    ["client.address", "network.peer.address", "network.peer.port", "server.address", "url.path"]
      .map((name) => attributes[name]),
    ["192.0.2.1", "192.0.2.2", 2, "::1", "/"],
  );
});

test("traced: requests to 'web' have spans where an SDK is registered", () =>
  withSdk(async (spans) => {
    await using site = await makeSite({ "a.txt": "text" });
    await using server = await startWeb([site.root]);
    assert.equal(await (await fetch(`${server.url}a.txt`)).text(), "text");
    const [{ attributes }] = spans;
    assert.equal(attributes["url.path"], "/a.txt");
    assert.equal(attributes["http.response.status_code"], 200);
  }));

if (runtime === "Deno") {
  test("traced: with OTEL_DENO=true, Deno exports the spans of 'web', without an SDK", async () => {
    await using site = await makeSite({ "a.txt": "text" });
    const env = { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_PROTOCOL: "console" };
    await using server = await startServerProcess(["web", "--port", "0", site.root], { env });
    const headers = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` };
    assert.equal(await (await fetch(`${server.url}a.txt`, { headers })).text(), "text");
    const { stdout, stderr } = await server.program.stop();
    const text = stripVTControlCharacters(stdout + stderr);
    assert.match(text, /url\.path: \/a\.txt/);
    assert.ok(text.includes(TRACE_ID));
  });
}
