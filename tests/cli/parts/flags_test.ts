import assert from "node:assert/strict";
import {
  checkNeeds,
  choice,
  integer,
  list,
  needing,
  parseFlags,
  renderFlags,
  seconds,
  size,
  text,
  toggle,
  UsageError,
} from "../../../lib/cli/io/flags.ts";
import { test } from "../../support/runner.deno.ts";

const FLAGS = {
  host: text("HOST", "localhost", "where to"),
  port: integer("PORT", [0, 65535], 80, "which door"),
  grace: seconds(10, "how long"),
  most: size([1, 9e6], 5, "how much"),
  log: choice(["text", "json"], "text", "how"),
  verbose: toggle("more", "v"),
};

function parse(...args: string[]) {
  return parseFlags(FLAGS, args);
}

test("flags: without any, the defaults", () => {
  assert.deepEqual(parse(), {
    values: { host: "localhost", port: 80, grace: 10_000, most: 5, log: "text", verbose: false },
    positionals: [],
    given: new Set(),
  });
});

test("flags: values in both spellings, switches, and positionals in between", () => {
  const { values, positionals } = parse(
    "echo",
    "--port=7",
    "--host",
    "",
    "-v",
    "-",
    "--grace",
    "1.5",
  );
  assert.deepEqual(values, { host: "", port: 7, grace: 1500, most: 5, log: "text", verbose: true });
  assert.deepEqual(positionals, ["echo", "-"]);
  assert.deepEqual(parse("--", "-v").positionals, ["-v"]);
});

test("flags: what is wrong is said in one sentence", () => {
  const wrong: [string[], RegExp][] = [
    [["--port", "http"], /^Option --port takes a whole number from 0 to 65535, not 'http'$/],
    [["--port", "65536"], /from 0 to 65535, not '65536'/],
    [["--port", "-1"], /not '-1'/],
    [["--port", "1e3"], /not '1e3'/],
    [["--port", ""], /not ''/],
    [["--port"], /^Option --port needs a value: --port PORT$/],
    [
      ["--most", "10XB"],
      /^Option --most takes a whole number from 1 to 9000000, not '10XB'; it may have a unit: 64K/,
    ],
    [["--most", "0"], /from 1 to 9000000, not '0'; /],
    [["--most", "10M"], /, not '10M'; /],
    [["--most", "1.5"], /, not '1\.5'; /],
    [
      ["--grace", "5 years"],
      /takes a number of seconds from 0 to 2000000, not '5 years'; it may have a unit/,
    ],
    [["--grace", "24d"], /, not '24d'; /],
    [["--grace", "soon"], /takes a number of seconds/],
    [["--grace", "."], /takes a number of seconds/],
    [["--log", "xml"], /takes text or json, not 'xml'/],
    [["--verbose=yes"], /^Option --verbose takes no value$/],
    [["--hots", "x"], /^Unknown option --hots; did you mean --host\?$/],
    [["--verb"], /^Unknown option --verb; did you mean --verbose\?$/],
    [["-x"], /^Unknown option -x$/],
    [["--user-agent", "x"], /^Unknown option --user-agent$/],
    [["--constructor"], /^Unknown option --constructor$/],
  ];
  for (const [args, message] of wrong) {
    assert.throws(() => parse(...args), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  }
});

test("flags: sizes and times take units", () => {
  const sizes = { "64K": 65536, "64KiB": 65536, "64kb": 64000, "1MB": 1e6, "1.5M": 1572864 };
  for (const [text, bytes] of Object.entries(sizes)) {
    assert.equal(parse("--most", text).values.most, bytes, text);
  }
  const times = { "500ms": 500, "2s": 2000, "1.5m": 90_000, "5min": 300_000, "1h": 3_600_000 };
  for (const [text, ms] of Object.entries({ ...times, ".5": 500, "0": 0, "1d": 86_400_000 })) {
    assert.equal(parse("--grace", text).values.grace, ms, text);
  }
});

test("flags: the help says which values take units", () => {
  assert.match(renderFlags({ most: FLAGS.most }), /how much\n\nBYTES may have a unit: .*10MB/);
  assert.match(renderFlags({ grace: FLAGS.grace }), /how long\n\nSECONDS may have another unit: /);
});

test("flags: one that needs another says so, whatever its value", () => {
  const flags = { ...FLAGS, tries: needing("grace", integer("N", [0, 9], 3, "how often")) };
  const check = (...args: string[]) => checkNeeds(flags, parseFlags(flags, args));
  assert.throws(() => check("--tries", "3"), /^UsageError: Option --tries needs --grace$/);
  assert.throws(() => check("--tries", "5", "--grace", "10"), UsageError, "as if it was not there");
  check("--tries", "3", "--grace", "2");
  check("--port", "7");
});

test("flags: the help lines up", () => {
  assert.equal(
    renderFlags({ port: FLAGS.port, verbose: FLAGS.verbose }),
    "      --port PORT  which door\n  -v, --verbose    more",
  );
});

test("flags: a list takes all of its values, in their order", () => {
  const flags = { header: list("LINE", "what to add", "H") };
  assert.deepEqual(parseFlags(flags, []).values.header, []);
  const { values } = parseFlags(flags, ["-H", "A: 1", "--header=B: 2", "-H", "A: 3"]);
  assert.deepEqual(values.header, ["A: 1", "B: 2", "A: 3"]);
});
