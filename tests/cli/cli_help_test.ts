// What --help prints: on terminals of any width, and which exit codes it lists.

import assert from "node:assert/strict";
import { fitHelp } from "../../lib/cli/io/help.ts";
import { InProcess } from "../support/in_process.ts";
import { PYTHON, runProgram } from "../support/peers.ts";
import { programCommand, runClient, runServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** The exit codes that each command can end with. */
const CODES: Readonly<Record<string, readonly number[]>> = {
  "server echo": [0, 2, 6, 7, 23, 70, 130],
  "server web": [0, 2, 6, 7, 23, 70, 130],
  "server relay": [0, 2, 6, 7, 23, 70, 130],
  "server chat": [0, 2, 6, 7, 23, 70, 130],
  "server wstest": [0, 1, 2, 6, 7, 23, 70, 130],
  "client echo": [0, 1, 2, 6, 7, 18, 23, 28, 35, 56, 60, 70, 130, 141],
  "client get": [0, 1, 2, 3, 6, 7, 18, 22, 23, 28, 35, 47, 52, 56, 60, 63, 70, 130, 141],
  "client connect": [0, 2, 6, 7, 18, 22, 23, 26, 28, 35, 56, 60, 70, 130, 141],
  "client resolve": [0, 2, 6, 7, 23, 28, 70, 130, 141],
  "client wstest": [0, 1, 2, 3, 6, 7, 22, 23, 28, 35, 60, 70, 130, 141],
};

async function helpOf(command: string): Promise<string> {
  const [script, name] = command.split(" ");
  const { stdout } = await (script === "server" ? runServer : runClient)([name, "--help"]);
  return stdout.toString();
}

const words = (text: string) => text.split(/\s+/);

for (const [command, codes] of Object.entries(CODES)) {
  test(`${command} --help: fits terminals from 40 columns on, and breaks no word`, async () => {
    const help = await helpOf(command);
    for (let width = 40; width <= 110; width++) {
      const fitted = fitHelp(help, width);
      assert.deepEqual(words(fitted), words(help));
      // A word that is longer than the terminal is wide has a line of its own.
      const long = fitted.split("\n").filter((line) =>
        line.length > width && line.trim().includes(" ")
      );
      assert.deepEqual(long, [], `${width}`);
      assert.doesNotMatch(fitted, / $|\n\n\n/m);
    }
    assert.equal(fitHelp(help, 100), help);
  });

  test(`${command} --help: lists the exit codes of that command, and no others`, async () => {
    const [, list] = (await helpOf(command)).split("\nExit codes:\n");
    assert.deepEqual([...list.matchAll(/^ {2}(\d+) +\w/gm)].map(([, code]) => Number(code)), codes);
    assert.match(list, /\b143\b/);
    const [script, name] = command.split(" ");
    if (script === "server") assert.doesNotMatch(list, /\bconnect\b|stderr|server closed/);
    if (name !== "echo") assert.doesNotMatch(list, /datagram/);
    if (script === "client") assert.doesNotMatch(list, /listen/);
  });
}

test("--help: is shown beside what is wrong, but not in place of a value or behind --", async () => {
  for (
    const line of ["web -p 8080 --help", "web --help --nope", "web --nope -h", "--port x --help"]
  ) {
    const { code, stdout } = await runServer(line.split(" "));
    assert.match(`${code} ${stdout}`, /^0 [^]*\nUsage: server\.ts /, line);
  }
  for (const line of ["--nope -- --help", "--nope --port=--help"]) {
    assert.equal((await runServer(line.split(" "))).code, 2, line);
  }
});

test("help: a long word goes as far left as it must to fit", () => {
  const word = "x".repeat(36);
  const help = `  run ${word}  the same without a checkout\n`;
  assert.ok(fitHelp(help, 40).split("\n").includes(`    ${word}`));
  assert.ok(fitHelp(help, 30).split("\n").includes(word));
});

test("plainsocket --help, and those of its commands: fit terminals, and break no word", async () => {
  for (const args of [[], ["server"], ["client", "connect"], ["server", "relay"]]) {
    const { stdout } = await new InProcess("plainsocket", [...args, "--help"]).exit();
    const help = stdout.toString();
    assert.match(help, /\bnpx plainsocket /);
    for (let width = 40; width <= 110; width++) {
      const fitted = fitHelp(help, width);
      assert.deepEqual(words(fitted), words(help));
      assert.deepEqual(fitted.split("\n").filter((line) => line.length > width), []);
    }
  }
});

test("help: what has columns keeps them where there is room, and else goes below", () => {
  const help = `Title.

Options:
  -a, --all   takes all that there is to be taken
      --b     one more,
              with a second line

Text of more than one line,
which is one paragraph.
`;
  assert.equal(
    fitHelp(help, 45),
    `Title.

Options:
  -a, --all   takes all that there is to be
              taken
      --b     one more, with a second line

Text of more than one line, which is one
paragraph.
`,
  );
  assert.equal(
    fitHelp(help, 40),
    `Title.

Options:
  -a, --all
          takes all that there is to be
          taken
      --b
              one more, with a second
              line

Text of more than one line, which is one
paragraph.
`,
  );
  assert.equal(fitHelp("a word-that-is-longer b\n", 8), "a\nword-that-is-longer\nb\n");
});

test("help: is as wide as the terminal", async () => {
  const program = `
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
while True:
    try: data = os.read(terminal, 65536)
    except OSError: break
    if not data: break
    os.write(1, data)
`;
  const help = await helpOf("server web");
  for (const width of [60, 0]) {
    const command = [...programCommand("server"), "web", "--help"];
    const { stdout } = await runProgram([...PYTHON, "-c", program, String(width), ...command]);
    const shown = stdout.toString().replaceAll("\r\n", "\n");
    assert.equal(shown, width === 0 ? help : fitHelp(help, width));
  }
}, ["python3"]);
