// Deno.serve with the files in memory.
const [port, dir, cert, key] = Deno.args;
const files = new Map(["1k.html", "100m.bin"].map((name) => [
  `/${name}`,
  Deno.readFileSync(`${dir}/${name}`),
]));
Deno.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  cert: Deno.readTextFileSync(cert),
  key: Deno.readTextFileSync(key),
  onListen() {},
}, (request) => {
  const body = files.get(new URL(request.url).pathname);
  return new Response(body, { status: body === undefined ? 404 : 200 });
});
