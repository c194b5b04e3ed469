/**
 * Spans of OpenTelemetry for requests, where an SDK is registered: by the program, by
 * `node --import`, or by Deno with `OTEL_DENO=true`. Nothing is loaded for that: an SDK registers with
 * `@opentelemetry/api`, which shares what it has by a global symbol for all of its versions 1.x.
 *
 * @module
 */

import { checkArgument, HANDLER } from "../../base/arguments.ts";
import { VERSION } from "../../base/version.ts";
import { HttpError } from "../message/errors.ts";
import type { LightHandler, LightRequest, LightResponse } from "../server/light.ts";
import type { HttpHandler } from "./fetch_handler.ts";
import { lightRequest } from "./request_to_light.ts";
import { requestAttributes } from "./span_attributes.ts";

interface Span {
  setAttribute(name: string, value: string | number): unknown;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  recordException(error: Error): void;
  end(): void;
}

interface Context {
  setValue(key: symbol, value: unknown): Context;
}

/** The parts of the API that an SDK has registered. */
interface Telemetry {
  readonly trace?: {
    getTracer(name: string, version: string): {
      startSpan(name: string, options: object, context: Context | undefined): Span;
    };
  };
  readonly context?: {
    active(): Context;
    with<T>(context: Context, fn: () => T): T;
  };
  readonly propagation?: {
    extract(context: Context, request: LightRequest, getter: typeof GETTER): Context;
  };
}

const API = Symbol.for("opentelemetry.js.api.1");
/** The key of the active span in a context. */
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");
const SERVER = 1;
const ERROR = 2;

const GETTER = {
  get: (request: LightRequest, name: string): string | undefined => request.header(name),
  keys: ({ headers }: LightRequest): string[] => headers.filter((_, i) => i % 2 === 0),
};

/**
 * Has a span for each request that the handler answers, by the semantic conventions of OpenTelemetry
 * for HTTP servers. It begins with the call of the handler, is active in it, and ends with its
 * response, whose body may still be sent. Its parent is what `traceparent` says. Without an SDK, the
 * handler is called as it is.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { serveHttp, traced } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveHttp(listener, traced(() => new Response("hello")));
 *
 * const response = await fetch(`http://127.0.0.1:${listener.addr.port}/`);
 * assert.equal(await response.text(), "hello");
 *
 * await server.stop();
 * ```
 */
export function traced(handler: HttpHandler): HttpHandler {
  checkArgument("traced", handler, HANDLER);
  return (request, info) => {
    const telemetry = registered();
    if (telemetry === undefined) return handler(request, info);
    const light = lightRequest(request, info?.remoteAddr);
    return inSpan(telemetry, light, () => handler(request, info));
  };
}

/** The same for a handler of `serveLight()`. */
export function tracedLight(handler: LightHandler): LightHandler {
  checkArgument("tracedLight", handler, HANDLER);
  return (request) => {
    const telemetry = registered();
    return telemetry === undefined
      ? handler(request)
      : inSpan(telemetry, request, () => handler(request));
  };
}

/** The tracer that an SDK has registered; undefined without one. */
function registered(): Telemetry | undefined {
  const telemetry = (globalThis as { [API]?: Telemetry })[API];
  return telemetry?.trace === undefined ? undefined : telemetry;
}

/** Calls `answer` in a span, which ends with the response. */
async function inSpan<R extends Response | LightResponse>(
  { trace, context, propagation }: Telemetry,
  request: LightRequest,
  answer: () => R | Promise<R>,
): Promise<R> {
  const active = context?.active();
  const parent = active && propagation ? propagation.extract(active, request, GETTER) : active;
  const { name, attributes } = requestAttributes(request);
  const tracer = trace!.getTracer("plainsocket", VERSION);
  const span = tracer.startSpan(name, { kind: SERVER, attributes }, parent);
  try {
    const response =
      await (parent === undefined ? answer() : context!.with(parent.setValue(SPAN, span), answer));
    setStatus(span, response.status);
    return response;
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function setStatus(span: Span, status: number): void {
  span.setAttribute("http.response.status_code", status);
  if (status < 500) return;
  span.setAttribute("error.type", String(status));
  span.setStatus({ code: ERROR });
}

/** Sets the status of the response to an error: 500, or that of an error of the request. */
function fail(span: Span, error: unknown): void {
  if (error instanceof HttpError) return setStatus(span, error.status);
  const thrown = error instanceof Error ? error : new Error(String(error));
  setStatus(span, 500);
  span.recordException(thrown);
  span.setAttribute("error.type", thrown.name);
  span.setStatus({ code: ERROR, message: thrown.message });
}
