import assert from "node:assert/strict";
import { parseEndpoint } from "../../../lib/cli/options/endpoint.ts";
import { UsageError } from "../../../lib/cli/io/flags.ts";
import { test } from "../../support/runner.deno.ts";

test("endpoint: HOST:PORT of a name, an IPv4 address, and an IPv6 address in brackets", () => {
  const right: [text: string, host: string, port: number][] = [
    ["localhost:1", "localhost", 1],
    ["example.com:65535", "example.com", 65535],
    ["bücher.example:80", "bücher.example", 80],
    ["_service.example:80", "_service.example", 80],
    ["127.0.0.1:08080", "127.0.0.1", 8080],
    ["[::1]:80", "::1", 80],
    ["[fe80::1%eth0]:80", "fe80::1%eth0", 80],
    ["[::ffff:127.0.0.1]:443", "::ffff:127.0.0.1", 443],
  ];
  for (const [text, host, port] of right) {
    assert.deepEqual(parseEndpoint(text), { host, port });
  }
});

test("endpoint: the usual mistakes are told with what to write instead", () => {
  const wrong: [text: string, message: string][] = [
    ["", "'' has no port: write HOST:PORT"],
    ["example.com", "'example.com' has no port: write example.com:PORT"],
    ["example.com:", "'example.com:' has no port: write example.com:PORT"],
    [":80", "':80' has no host: write HOST:PORT, or localhost:PORT for this machine"],
    ["a:http", "'a:http': a port is a whole number from 1 to 65535, not 'http'"],
    ["a:0", "'a:0': a port is a whole number from 1 to 65535, not '0'"],
    ["a:65536", "'a:65536': a port is a whole number from 1 to 65535, not '65536'"],
    ["a:-1", "'a:-1': a port is a whole number from 1 to 65535, not '-1'"],
    ["a:80/", "'a:80/': a port is a whole number from 1 to 65535, not '80/'"],
    ["http://example.com/x", "'http://example.com/x' is a URL: write example.com:80"],
    ["HTTPS://[::1]:8443", "'HTTPS://[::1]:8443' is a URL: write [::1]:8443"],
    ["tcp://example.com", "'tcp://example.com' is a URL: write example.com:PORT"],
    ["://", "'://' is a URL: write HOST:PORT"],
    ["::1", "'::1' is an IPv6 address without a port: write [::1]:PORT"],
    ["2001:db8::a", "'2001:db8::a' is an IPv6 address without a port: write [2001:db8::a]:PORT"],
    ["::1:80", "'::1:80': an IPv6 address stands in brackets: write [::1]:80"],
    [
      "fe80::1%eth0:80",
      "'fe80::1%eth0:80': an IPv6 address stands in brackets: write [fe80::1%eth0]:80",
    ],
    ["[::1]", "'[::1]' has no port: write [::1]:PORT"],
    ["[::1]80", "'[::1]80' has no port: write [::1]:PORT"],
    ["[::1]:", "'[::1]:' has no port: write [::1]:PORT"],
    [
      "[localhost]:80",
      "'[localhost]:80': in brackets stands an IPv6 address, which 'localhost' is not",
    ],
    ["a:b:80", "'a:b:80' has too many colons: write HOST:PORT, and an IPv6 address in brackets"],
    ["me@example.com:22", "'me@example.com' is not a host: write HOST:PORT"],
    ["two words:22", "'two words' is not a host: write HOST:PORT"],
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => parseEndpoint(text), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.message, message);
      return true;
    });
  }
});
