import { createRequire } from "node:module";
import process from "node:process";

const [, , packages, port] = process.argv;
const { serve } = createRequire(`${packages}/package.json`)("@hono/node-server");
serve({ fetch: () => new Response("Hello, World!"), hostname: "127.0.0.1", port: Number(port) });
