/**
 * Flags of a server that a service manager starts.
 *
 * @module
 */

import { type Flag, toggle } from "../io/flags.ts";

/** The flags. */
export const SERVICE_FLAGS: { readonly systemd: Flag<boolean> } = {
  systemd: toggle("notify systemd of the state, and take its socket"),
};

/** The part of a server's help about these flags. */
export const SERVICE_HELP =
  `With --systemd, the server notifies systemd when it is ready, reloads and stops, and that it is
alive if WatchdogSec is set. The unit needs Type=notify and NotifyAccess=all. If systemd
passes a socket, the server listens on that, and --host, --port and --unix have no effect. That, and
--fd, need Node: Deno cannot listen on a socket that it inherits.`;
