import assert from "node:assert/strict";
import { parseFlags } from "../../../lib/cli/io/flags.ts";
import { hostFlag } from "../../../lib/cli/options/host.ts";
import { test } from "../../support/runner.deno.ts";

const parse = (value: string) =>
  parseFlags({ host: hostFlag("localhost", "where to") }, ["--host", value]).values.host;

test("host: a name or an address is taken as it is, IPv6 with its colons", () => {
  for (
    const host of ["", "localhost", "bücher.example", "127.0.0.1", "::", "::1", "fe80::1%eth0"]
  ) {
    assert.equal(parse(host), host);
  }
});

test("host: what has more than the host is told with what to write instead", () => {
  const instead = {
    "localhost:10000": "--host localhost --port 10000",
    "127.0.0.1:8081": "--host 127.0.0.1 --port 8081",
    "[::1]:80": "--host ::1 --port 80",
    "[::1]": "--host ::1",
    ":8080": "--port 8080",
    "http://localhost:8080/": "--host localhost --port 8080",
    "tcp://a": "--host a",
  };
  for (const [value, options] of Object.entries(instead)) {
    assert.throws(() => parse(value), {
      name: "UsageError",
      message: `Option --host takes the host alone: write ${options}`,
    });
  }
  for (const value of ["a:b", "1::2::3", "http://", "a/b", "[::1", ":::"]) {
    assert.throws(() => parse(value), {
      message: `Option --host takes a name or an address, not '${value}'`,
    });
  }
});
