/**
 * The commands of the server, by name. Each is loaded when it is called for.
 *
 * @module
 */

import type { Script } from "../command.ts";

/** The server: without a name it is `echo`. */
export const SERVER: Script = {
  servesOn: true,
  advice: async () => (await import("../advice/first_word.ts")).serverAdvice,
  commands: {
    echo: async () => (await import("./echo/server.ts")).echo,
    web: async () => (await import("./web/web.ts")).web,
    relay: async () => (await import("./relay/relay.ts")).relay,
    replay: async () => (await import("./replay/server.ts")).replay,
    watch: async () => (await import("./watch/watch.ts")).watch,
    chat: async () => (await import("./chat/chat.ts")).chat,
    wstest: async () => (await import("./wstest/server.ts")).wstest,
  },
};
