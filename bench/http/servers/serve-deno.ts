const [port, dir] = Deno.args;
const files = new Map<string, Uint8Array<ArrayBuffer>>();
if (dir !== undefined) {
  for (const name of ["1k", "64k"]) {
    files.set(`/${name}.html`, Deno.readFileSync(`${dir}/${name}.html`));
  }
}
const headers = { "Content-Type": "text/html" };
Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen() {} }, (request) => {
  if (dir === undefined) return new Response("Hello, World!");
  const body = files.get(new URL(request.url).pathname);
  return new Response(body ?? "Not Found", { status: body === undefined ? 404 : 200, headers });
});
