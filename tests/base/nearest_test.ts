import assert from "node:assert/strict";
import { nearest } from "../../lib/base/nearest.ts";
import { test } from "../support/runner.deno.ts";

const OPTIONS = [
  "host",
  "port",
  "tls-cert",
  "tls-self-signed",
  "max-redirects",
  "recv-size",
  "user",
  "verbose",
  "version",
];
const COMMANDS = ["echo", "web", "relay", "chat", "resolve", "server"];

test("nearest: a letter too few, too many, wrong or swapped is seen through", () => {
  const meant = {
    "tls-selfsigned": "tls-self-signed",
    "tls_self_signed": "tls-self-signed",
    versoin: "version",
    verbos: "verbose",
    prot: "port",
    hots: "host",
    recv_size: "recv-size",
  };
  for (const [word, name] of Object.entries(meant)) {
    assert.equal(nearest(word, OPTIONS), name, word);
  }
  const commands = {
    ecoh: "echo",
    wbe: "web",
    resolv: "resolve",
    sever: "server",
    rellay: "relay",
  };
  for (const [word, name] of Object.entries(commands)) {
    assert.equal(nearest(word, COMMANDS), name, word);
  }
});

test("nearest: what only begins alike is something else", () => {
  for (const word of ["max-time", "max-filesize", "user-agent", "frob", "x", "", "constructor"]) {
    assert.equal(nearest(word, OPTIONS), undefined, word);
  }
});

test("nearest: the beginning of one name stands for it, that of several for none", () => {
  assert.equal(nearest("recv", OPTIONS), "recv-size");
  assert.equal(nearest("verb", OPTIONS), "verbose");
  assert.equal(nearest("tls", OPTIONS), undefined);
});

test("nearest: of several that are as near, the nearest is meant, or else the first", () => {
  assert.equal(nearest("chart", ["chant", "chat", "cart"]), "chant");
  assert.equal(nearest("chatt", ["cart", "chat"]), "chat");
});
