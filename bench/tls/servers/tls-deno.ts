// The least that node:tls costs over a Deno.Conn.
import { Duplex } from "node:stream";
import tls from "node:tls";
import { prepared } from "./prepared.mjs";

class OverConn extends Duplex {
  readonly #conn: Deno.Conn;
  readonly #buffer = new Uint8Array(2048);

  constructor(conn: Deno.Conn) {
    super({ allowHalfOpen: true });
    this.#conn = conn;
  }

  override _read(): void {
    this.#conn.read(this.#buffer).then(
      (n) => this.push(n === null ? null : this.#buffer.slice(0, n)),
      (error) => this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#write(chunk).then(() => done(), done);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) at += await this.#conn.write(chunk.subarray(at));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#conn.close();
    done(error);
  }
}

const [port, dir, cert, key] = Deno.args;
const secureContext = tls.createSecureContext({
  cert: Deno.readTextFileSync(cert),
  key: Deno.readTextFileSync(key),
});
const answer = prepared(dir);
const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
for await (const conn of listener) {
  conn.setNoDelay(true);
  const stream = new OverConn(conn) as unknown as tls.TLSSocket;
  answer(new tls.TLSSocket(stream, { isServer: true, secureContext }));
}
