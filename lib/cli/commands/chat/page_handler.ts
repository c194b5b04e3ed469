/**
 * The page of the chat over HTTP: its files, and its WebSockets at `/ws`.
 *
 * @module
 */

import type { LightHandler } from "../../../http/server/light.ts";
import { refuse, safe } from "../../pages/safe_response.ts";
import { pageFiles } from "../../pages/page_files.ts";
import { PAGE_TEXTS } from "./page_texts.deno.ts";

const FILES = pageFiles(PAGE_TEXTS);

/** Makes the handler of requests; `sockets` has those for WebSockets. */
export function pageHandler(sockets: LightHandler): LightHandler {
  return (request) => {
    const [path] = request.target.split("?", 1);
    if (path === "/ws") return sockets(request);
    const file = FILES.get(path);
    if (file === undefined) return refuse(404, "There is nothing here. The page is at /.");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return refuse(405, "This page is only read.", ["Allow", "GET, HEAD"]);
    }
    return safe(200, file.type, file.text);
  };
}
