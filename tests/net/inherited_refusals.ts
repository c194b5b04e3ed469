// Tries to listen on each of the descriptors 10 to 15, and prints how that fails: for inherited_test.ts.

import process from "node:process";
import { systemTransport } from "../../lib/net/system.deno.ts";

const refusals: string[] = [];
for (let fd = 10; fd <= 15; fd++) {
  await systemTransport.listen({ fd }).then(
    () => refusals.push("listens"),
    (error) => refusals.push(error.message),
  );
}
process.stdout.write(`${JSON.stringify(refusals)}\n`);
process.exit();
