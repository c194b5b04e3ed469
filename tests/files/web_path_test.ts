import assert from "node:assert/strict";
import { sep } from "node:path";
import { encodeName, isHidden, parseTarget } from "../../lib/files/path.ts";
import { test } from "../support/runner.deno.ts";

test("a target is decoded once, and has one normal spelling", () => {
  for (
    const [target, names, path, query] of [
      ["/", [], "/", ""],
      ["/a", ["a"], "/a", ""],
      ["/a/", ["a"], "/a/", ""],
      ["/a/b.txt?x=/../y", ["a", "b.txt"], "/a/b.txt", "?x=/../y"],
      ["/a?", ["a"], "/a", "?"],
      ["/a#b?c", ["a"], "/a", ""],
      ["/a?b#c", ["a"], "/a", "?b"],
      ["/%61%2Etxt", ["a.txt"], "/a.txt", ""],
      ["/%C3%BC", ["ü"], "/%C3%BC", ""],
      ["/%c3%bc", ["ü"], "/%C3%BC", ""],
      ["/%F0%9F%98%80", ["😀"], "/%F0%9F%98%80", ""],
      ["/a%20b", ["a b"], "/a%20b", ""],
      ["/a+b", ["a+b"], "/a+b", ""],
      ["/a%3Fb", ["a?b"], "/a%3Fb", ""],
      ["/a%23b", ["a#b"], "/a%23b", ""],
      // Decoded twice, these would be others.
      ["/%2561", ["%61"], "/%2561", ""],
      ["/%252e%252e/x", ["%2e%2e", "x"], "/%252e%252e/x", ""],
      ["/%252f", ["%2f"], "/%252f", ""],
      // Slashes are merged, so that no redirect starts with two of them.
      ["//", [], "/", ""],
      ["//evil.example/a", ["evil.example", "a"], "/evil.example/a", ""],
      ["///a//b//", ["a", "b"], "/a/b/", ""],
      ["/@:a;b,c=d&$!'()*~_-.", ["@:a;b,c=d&$!'()*~_-."], "/@:a;b,c=d&$!'()*~_-.", ""],
      ['/"<>[]{}|^`', ['"<>[]{}|^`'], "/%22%3C%3E%5B%5D%7B%7D%7C%5E%60", ""],
      ["/...", ["..."], "/...", ""],
      ["/..a/b..", ["..a", "b.."], "/..a/b..", ""],
      // RFC 9112 section 3.2.2: of an absolute target the path counts.
      ["http://example.com", [], "/", ""],
      ["http://example.com/a/b?c", ["a", "b"], "/a/b", "?c"],
      ["HTTPS://example.com:8443/a", ["a"], "/a", ""],
      ["http://example.com//a", ["a"], "/a", ""],
      ["http://example.com?c", [], "/", "?c"],
    ] as const
  ) {
    const slash = path.endsWith("/");
    assert.deepEqual(parseTarget(target), { names, slash, path, query }, target);
  }
});

test("a target that no client sends by right is 400", () => {
  for (
    const target of [
      "*",
      "",
      "a",
      "a/b",
      "?",
      "example.com:443",
      "ftp://example.com/a",
      "http:///a",
      "/..",
      "/../a",
      "/a/..",
      "/a/../b",
      "/.",
      "/./a",
      "/%2e%2e/a",
      "/%2E./a",
      "/.%2e/a",
      "/a/%2e%2e/%2e%2e/etc/passwd",
      "//../a",
      "/%",
      "/%4",
      "/%zz",
      "/%-1",
      "/a%2",
      "/%u0041",
      "/a%00",
      "/%00",
      "/index.html%00.png",
      "http://example.com/../a",
      // A 400 further on outdoes a 404.
      "/%2f/../a",
    ]
  ) assert.equal(parseTarget(target), 400, target);
});

test("a path that is the name of no file that is served is 404", () => {
  for (
    const target of [
      "/a%2fb",
      "/%2F",
      "/..%2fetc",
      "/%2e%2e%2fetc%2fpasswd",
      // Overlong for "/", ".", and NUL; a surrogate; beyond Unicode; cut short; a byte of the middle.
      "/%c0%af",
      "/%c0%ae%c0%ae/a",
      "/%e0%80%af",
      "/%f0%80%80%af",
      "/%c0%80",
      "/%ed%a0%80",
      "/%f4%90%80%80",
      "/%c3",
      "/%80",
      "/%ff",
      "/%fe%ff",
    ]
  ) assert.equal(parseTarget(target), 404, target);
});

test("a name that is text is a name, whatever characters it has", () => {
  for (
    const [target, name] of [
      ["/a%0ab", "a\nb"],
      ["/a%0D%0ASet-Cookie:x", "a\r\nSet-Cookie:x"],
      ["/a%09", "a\t"],
      ["/%1b[2J", "\x1b[2J"],
      ["/a%7F", "a\x7f"],
      ["/%c2%80", "\x80"],
      ["/%EF%BF%BD", "\ufffd"],
      ["/%E2%80%AEtxt.exe", "\u202etxt.exe"],
    ]
  ) {
    const parsed = parseTarget(target);
    assert.ok(typeof parsed === "object", target);
    assert.deepEqual(parsed.names, [name]);
    // It goes into a header field of a redirect.
    assert.match(parsed.path, /^[\x21-\x7e]+$/);
    assert.deepEqual(parseTarget(parsed.path), parsed);
  }
});

test("a backslash stands in names, unless it separates them in the file system", () => {
  for (const target of ["/a%5cb", "/..%5c..%5ca", "/..\\..\\a", "/\\evil.example", "/%5cevil"]) {
    const parsed = parseTarget(target);
    if (sep === "\\") assert.equal(parsed, 404, target);
    else {
      assert.ok(typeof parsed === "object", target);
      assert.equal(parsed.names.length, 1);
      assert.doesNotMatch(parsed.path, /\\/);
    }
  }
});

test("encodeName() and parseTarget() are each other's inverse", () => {
  for (
    const name of ["a b", "100%", "ü", "a&b=c", "?", "#", "%2e%2e", "'\"", "日本", "a+b;c@d:e"]
  ) {
    const encoded = encodeName(name);
    assert.match(encoded, /^[!$%&'()*+,\-.0-9:;=@A-Z_a-z~]+$/);
    const target = parseTarget(`/${encoded}`);
    assert.ok(typeof target === "object");
    assert.deepEqual(target.names, [name]);
    assert.equal(target.path, `/${encoded}`);
  }
  assert.equal(encodeName("\ud800"), "%EF%BF%BD");
});

test("names that start with a dot are hidden, but for .well-known", () => {
  for (const name of [".git", ".env", ".", "..x", ".well-known2", ".WELL-KNOWN"]) {
    assert.ok(isHidden(name), name);
  }
  for (const name of [".well-known", "a", "a.b", "-"]) assert.ok(!isHidden(name), name);
});
