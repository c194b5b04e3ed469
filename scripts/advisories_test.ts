import assert from "node:assert/strict";
import { test } from "node:test";
import { verdictOf } from "./advisories.ts";

test("audit: a dependency with a known vulnerability is a line with its title and address", () => {
  const vulnerabilities = {
    mime: {
      name: "mime",
      severity: "high",
      range: "<1.4.1",
      via: [{ title: "A regular expression takes long", url: "https://example.com/1" }],
    },
    send: { name: "send", severity: "low", range: "*", via: ["mime"] },
  };
  assert.deepEqual(verdictOf(JSON.stringify({ auditReportVersion: 2, vulnerabilities })), {
    vulnerable: [
      "mime <1.4.1 (high): A regular expression takes long https://example.com/1",
      "send * (low)",
    ],
  });
});

test("audit: a report without vulnerabilities is no failure", () => {
  assert.deepEqual(verdictOf('{"auditReportVersion":2,"vulnerabilities":{}}'), { vulnerable: [] });
});

test("audit: a registry that does not answer is said, whatever npm prints", () => {
  const message = "405 Method Not Allowed - POST https://registry.example/bulk";
  assert.equal(verdictOf(JSON.stringify({ message, statusCode: 405 })).skipped, message);
  assert.equal(verdictOf("").skipped, "it says nothing");
  assert.equal(verdictOf("npm error\nmore").skipped, "npm error");
  assert.equal(verdictOf("null").skipped, "null");
});
