/**
 * Asking the name servers themselves. Unlike getaddrinfo(3) that can be given up at any moment, and
 * it returns each address family as soon as it is known.
 *
 * @module
 */

import { Resolver } from "node:dns/promises";
import { deferred } from "../base/wait.ts";

/** The wait of one family's addresses for the other (RFC 8305 section 3, "Resolution Delay"). */
const RESOLUTION_DELAY_MS = 50;

/** The time after which a silent name server, or the next one, is asked again. */
const TRY_MS = 2500;
const TRIES = 2;

/** The answer of the name servers for one family: addresses, or the code of the error. */
type Answer = readonly string[] | string;

/** The name servers have answered, and there is no such address. */
const NO_ADDRESS: ReadonlySet<Answer | undefined> = new Set(["ENODATA", "ENOTFOUND"]);

/**
 * Asks for the addresses of a name. Resolves to `undefined` as soon as the name servers have answered
 * for both families: getaddrinfo(3) will not be kept waiting, and knows more than they do. Where it
 * would be, since a name server is silent or an answer was lost, resolves to what addresses there are.
 *
 * Rejects with an error whose `code` is ENOTFOUND or EAI_AGAIN if there are none. After an abort of
 * `signal` it settles at once, and says nothing.
 */
export async function askNameServers(
  host: string,
  signal?: AbortSignal,
): Promise<readonly string[] | undefined> {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  const cancel = () => resolver.cancel();
  signal?.addEventListener("abort", cancel);
  const began = performance.now();
  try {
    const answers = await answersTo([resolver.resolve6(host), resolver.resolve4(host)]);
    const late = performance.now() - began >= TRY_MS;
    if (!late && !answers.includes(undefined)) return undefined;
    const found = answers.flatMap((answer) => Array.isArray(answer) ? answer : []);
    if (found.length > 0) return found;
    const code = answers.every((answer) => NO_ADDRESS.has(answer)) ? "ENOTFOUND" : "EAI_AGAIN";
    throw Object.assign(new Error(`The name servers say: ${answers.join(", ")}`), { code });
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

/** The answer for each family, or `undefined` if it has not come 50 ms after addresses of the other. */
async function answersTo(
  asked: readonly Promise<readonly string[]>[],
): Promise<readonly (Answer | undefined)[]> {
  const answers: (Answer | undefined)[] = asked.map(() => undefined);
  const delayed = deferred<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const all = asked.map(async (promise, i) => {
    const answer = answers[i] = await promise.catch((error): Answer => String(error.code));
    if (Array.isArray(answer)) timer ??= setTimeout(delayed.resolve, RESOLUTION_DELAY_MS);
  });
  await Promise.race([Promise.all(all), delayed.promise]);
  clearTimeout(timer);
  return answers;
}
