import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { VERSION } from "../lib/version.ts";
import { test } from "./runner.deno.ts";

test("package: the version is the same everywhere", () => {
  const { version } = JSON.parse(readFileSync("deno.json", "utf8"));
  assert.equal(VERSION, version);
  assert.match(readFileSync("CHANGELOG.md", "utf8"), new RegExp(`^## ${version}\\b`, "m"));
});
