/**
 * The commands of the client, by name. Each is loaded when it is called for.
 *
 * @module
 */

import type { Script } from "../command.ts";

/** The client: without a name it is `get` if there is a URL, and else `echo`. */
export const CLIENT: Script = {
  forUrl: "get",
  advice: async () => (await import("../advice/first_word.ts")).clientAdvice,
  commands: {
    echo: async () => (await import("./echo/client.ts")).echo,
    get: async () => (await import("./get/get.ts")).get,
    connect: async () => (await import("./connect/connect.ts")).connect,
    explain: async () => (await import("./explain/explain.ts")).explain,
    recording: async () => (await import("./recording/recording.ts")).recording,
    replay: async () => (await import("./replay/client.ts")).replay,
    resolve: async () => (await import("./resolve/resolve.ts")).resolve,
    wstest: async () => (await import("./wstest/client.ts")).wstest,
  },
};
