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
  text,
  toggle,
  UsageError,
} from "../lib/cli/flags.ts";
import { test } from "./runner.deno.ts";

const FLAGS = {
  host: text("HOST", "localhost", "where to"),
  port: integer("PORT", [0, 65535], 80, "which door"),
  grace: seconds(10, "how long"),
  log: choice(["text", "json"], "text", "how"),
  verbose: toggle("more", "v"),
};

function parse(...args: string[]) {
  return parseFlags(FLAGS, args);
}

test("flags: without any, the defaults", () => {
  assert.deepEqual(parse(), {
    values: { host: "localhost", port: 80, grace: 10_000, log: "text", verbose: false },
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
  assert.deepEqual(values, { host: "", port: 7, grace: 1500, log: "text", verbose: true });
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
