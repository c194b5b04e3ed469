import assert from "node:assert/strict";
import { ERROR_CODES, type SocketErrorCode } from "../../lib/base/error_codes.ts";
import { codeOf, SocketError } from "../../lib/base/errors.ts";
import { test } from "../support/runner.deno.ts";

test("errors: the message says what was tried, where, why it failed and what to do next", () => {
  const error = new SocketError("ECONNREFUSED", "connect", { addr: { host: "::1", port: 7 } });
  assert.equal(
    error.message,
    "Cannot connect to [::1]:7: the connection was refused (ECONNREFUSED). " +
      "Check that a server is listening there, and that the address is right.",
  );
  assert.equal(error.name, "SocketError");
  assert.ok(error instanceof Error);
});

test("errors: every code has a reason that fits into a sentence, and a next step that is one", () => {
  for (const code of Object.keys(ERROR_CODES) as SocketErrorCode[]) {
    const { why, next } = ERROR_CODES[code];
    assert.match(why, /^[a-zD][^.]*$/, code);
    assert.match(next, /^[A-Z].*\.$/, code);
    assert.ok(new SocketError(code, "read").message.includes(code));
  }
});

test("errors: what to do about a client's handshake is not what to do about a server's", () => {
  const next = (code: SocketErrorCode, op: "acceptTls" | "startTls") =>
    new SocketError(code, op).message.replace(/^.*?\)\. /, "");
  assert.match(next("ETLS", "acceptTls"), /^Check that the client speaks TLS/);
  assert.match(next("ECERT", "acceptTls"), /^If this client may come in/);
  assert.equal(next("ETLS", "startTls"), ERROR_CODES.ETLS.next);
  assert.match(next("ETIMEDOUT", "acceptTls"), /^Check that the client speaks TLS/);
});

test("errors: a runtime's code is ours if the table has it, else EUNKNOWN with the cause kept", () => {
  assert.equal(codeOf(Object.assign(new Error(), { code: "EPIPE" })), "EPIPE");
  for (const odd of [{ code: "EWEIRD" }, { code: 20 }, { code: "toString" }, {}, null, "text"]) {
    assert.equal(codeOf(odd), "EUNKNOWN");
  }
  const cause = new Error("odd");
  assert.equal(new SocketError("EUNKNOWN", "read", { cause }).cause, cause);
  assert.equal("cause" in new SocketError("EUNKNOWN", "read"), false);
});
