/**
 * Guards ports of this machine by which a program is controlled: other programs may use them, pages in a
 * browser may not.
 *
 * @module
 */

import { requireHost } from "../../http/fetch/require_host.ts";
import type { LightHandler, LightResponse } from "../../http/server/light.ts";

const REFUSAL: LightResponse = {
  status: 403,
  headers: ["Content-Type", "text/plain;charset=utf-8"],
  body: "This is not for pages in a browser.\n",
};

/**
 * Lets requests through to `handler` unless a page in a browser has sent them. Any page can send some
 * to this machine; its browser adds an Origin, or has a name of the page in Host.
 */
export function localProgramsOnly(handler: LightHandler): LightHandler {
  const checked = requireHost(handler, {
    adviceOnHost: () => "ask by 127.0.0.1 or localhost: this port knows no other name",
  });
  return (request) => {
    const isPage = request.header("origin") !== undefined ||
      request.header("user-agent")?.startsWith("Mozilla/") === true;
    return isPage ? REFUSAL : checked(request);
  };
}
