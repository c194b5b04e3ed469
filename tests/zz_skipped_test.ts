// The last test file of a run of `deno test`: says what was skipped in all of them. With --parallel
// another file may still be running, but its tests are known. Elsewhere scripts/test_node.ts does.

import { skippedMessage } from "./support/programs.ts";
import { skippedSoFar } from "./support/skipped.ts";

const { count, needs } = skippedSoFar();
if (count > 0) console.log(skippedMessage(count, needs));
